import type { Channel } from '../../../sidecar/channel/channel';
import { createChannel, createChannels } from '../../../sidecar/channel/create-channels';
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
