import type { Channel } from '../../../sidecar/channel/channel';
import { createChannel, createChannels } from '../../../sidecar/channel/create-channels';
import { Secret } from '../../../sidecar/config/secret';
import { slackWebhookSettings, webhookSettings } from '../../support/channel-settings';
import { ManualClock } from '../../support/manual-clock';
import { sampleNotification } from '../../support/sample-notification';
import { NO_PROJECT } from '../../support/sentry-project';
import { WebhookReceiver } from '../../support/webhook-receiver';

const PARTS = { clock: new ManualClock(), project: NO_PROJECT, externalUrl: undefined };

describe('the channels of a configuration', () => {
  it('keep the names, types and order they were given', () => {
    const channels = [
      slackWebhookSettings('http://127.0.0.1', { name: 'b' }),
      webhookSettings('http://127.0.0.1', { name: 'a' }),
    ];
    expect(createChannels(channels, PARTS).map(({ name, type }) => [name, type])).toEqual([
      ['b', 'slack'],
      ['a', 'webhook'],
    ]);
  });
});

describe('the fingerprint of a channel', () => {
  const secrets = (text: string): Channel =>
    createChannel(
      webhookSettings(`http://127.0.0.1/${text}`, { headers: { 'x-key': new Secret('k') } }),
      PARTS,
    );

  it('is the same for the same settings, and shows no secret', () => {
    const { fingerprint } = secrets('hunter2');
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(secrets('hunter2').fingerprint).toBe(fingerprint);
  });

  it('is another where a secret was changed, or what all channels are made with', () => {
    const { fingerprint } = secrets('hunter2');
    expect(secrets('hunter3').fingerprint).not.toBe(fingerprint);
    const linked = { ...PARTS, externalUrl: 'https://gatewatch.example' };
    const [plain, other] = [PARTS, linked].map((parts) => createChannel(webhookSettings('http://a'), parts));
    expect(other?.fingerprint).not.toBe(plain?.fingerprint);
  });
});

describe.each<[string, (url: string) => Channel]>([
  ['webhook', (url) => createChannel(webhookSettings(url), PARTS)],
  ['incoming webhook of Slack', (url) => createChannel(slackWebhookSettings(url), PARTS)],
])('the %s', (_, channelTo) => {
  let receiver: WebhookReceiver;

  beforeEach(async () => {
    receiver = await WebhookReceiver.start();
  });
  afterEach(() => receiver.close());

  it('is posted one JSON document', async () => {
    await channelTo(receiver.url('/hook')).send(sampleNotification());
    expect(receiver.requests).toMatchObject([
      { method: 'POST', path: '/hook', headers: { 'content-type': 'application/json' } },
    ]);
    const [request] = receiver.requests;
    expect(JSON.stringify(JSON.parse(request?.body ?? ''))).toContain(
      'High p95 latency: 812 ms on service slow',
    );
  });

  it('gets a name and password of its address as basic authentication', async () => {
    await channelTo(receiver.url().replace('http://', 'http://gate:p%40ss@')).send(sampleNotification());
    expect(receiver.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('gate:p@ss').toString('base64')}`,
    );
  });
});
