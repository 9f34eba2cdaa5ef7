import { Secret } from '../../../sidecar/config/secret';
import type { Channel } from '../../../sidecar/channel/channel';
import { NO_PROJECT } from '../../support/sentry-project';
import { createChannel, createChannels } from '../../../sidecar/channel/create-channels';
import { postJson } from '../../../sidecar/channel/http/post-json';
import { MAX_ANSWER_BYTES } from '../../../sidecar/channel/http/send-request';
import { slackWebhookSettings, webhookSettings } from '../../support/channel-settings';
import { findFreePorts } from '../../support/free-ports';
import { ManualClock } from '../../support/manual-clock';
import { sampleNotification } from '../../support/sample-notification';
import { WebhookReceiver, type Script } from '../../support/webhook-receiver';

const SECRET = 'T0SECRET-path-key';
const clock = new ManualClock(Date.parse('2026-03-01T10:00:00Z'));

const PARTS = { clock, project: NO_PROJECT, externalUrl: undefined };

let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});
afterEach(() => receiver.close());

const TYPES = ['webhook', 'slack'] as const;

function channelOf(
  type: (typeof TYPES)[number],
  url = receiver.url(`/${SECRET}`),
  timeoutMs = 5_000,
): Channel {
  const settings =
    type === 'slack' ? slackWebhookSettings(url, { timeoutMs }) : webhookSettings(url, { timeoutMs });
  const [channel] = createChannels([settings], PARTS);
  if (!channel) throw new Error('no channel was made');
  return channel;
}

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

describe('the webhook channel', () => {
  it.each([undefined, 'https://gatewatch.example'])(
    'says where people reach the sidecar: %s',
    async (url) => {
      const parts = { ...PARTS, externalUrl: url };
      await createChannel(webhookSettings(receiver.url()), parts).send(sampleNotification());
      expect(JSON.parse(receiver.requests[0]?.body ?? '')).toMatchObject({ externalURL: url ?? '' });
    },
  );
});

describe.each(TYPES)('the %s channel', (type) => {
  it('posts one JSON document to the whole address', async () => {
    await expect(channelOf(type).send(sampleNotification())).resolves.toEqual({ result: 'sent' });
    expect(receiver.requests).toMatchObject([
      { method: 'POST', path: `/${SECRET}`, headers: { 'content-type': 'application/json' } },
    ]);
    expect(receiver.requests[0]?.body).toContain('High p95 latency: 812 ms on service slow');
  });

  it.each<[string, Script, object]>([
    ['sent on 200', { status: 200, body: 'ok' }, { result: 'sent' }],
    ['retried on 408', { status: 408 }, { result: 'retry', reason: 'answered 408', afterMs: undefined }],
    ['retried on 425', { status: 425 }, { result: 'retry', reason: 'answered 425' }],
    [
      'retried on 429, not before the seconds it asks for',
      { status: 429, headers: { 'retry-after': '30' } },
      { result: 'retry', afterMs: 30_000 },
    ],
    [
      'retried on 503, not before the date it asks for',
      { status: 503, headers: { 'retry-after': 'Sun, 01 Mar 2026 10:02:00 GMT' } },
      { result: 'retry', afterMs: 120_000 },
    ],
    [
      'retried on a date that is past',
      { status: 503, headers: { 'retry-after': 'Sun, 01 Mar 2026 09:02:00 GMT' } },
      { result: 'retry', afterMs: 0 },
    ],
    [
      'retried on a Retry-After that is nonsense',
      { status: 503, headers: { 'retry-after': '-3 soon' } },
      { result: 'retry', afterMs: undefined },
    ],
    ['retried on 500', { status: 500 }, { result: 'retry', reason: 'answered 500' }],
    ['retried on 599', { status: 599 }, { result: 'retry', reason: 'answered 599' }],
    ['refused on 400', { status: 400 }, { result: 'refused', reason: 'answered 400' }],
    ['refused on 401', { status: 401 }, { result: 'refused', reason: 'answered 401' }],
    ['refused on 404', { status: 404 }, { result: 'refused', reason: 'answered 404' }],
    ['refused on 410', { status: 410 }, { result: 'refused', reason: 'answered 410' }],
    ['refused on 304', { status: 304 }, { result: 'refused' }],
    ['retried after a reset', 'reset', { result: 'retry', reason: 'no answer (ECONNRESET)' }],
    ['retried after garbage', 'garbage', { result: 'retry' }],
    [
      'retried on a huge 500',
      { status: 500, body: 'x'.repeat(5_000_000) },
      { result: 'retry', reason: 'answered 500' },
    ],
  ])('is %s', async (_, script, outcome) => {
    receiver.answer(script);
    await expect(channelOf(type).send(sampleNotification())).resolves.toMatchObject(outcome);
    expect(receiver.requests).toHaveLength(1);
  });

  it('does not follow a redirect', async () => {
    const elsewhere = await WebhookReceiver.start();
    receiver.answer({ status: 307, headers: { location: elsewhere.url() } });
    await expect(channelOf(type).send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'answered 307, a redirect, which is not followed',
    });
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  it('gives up a receiver that hangs when its timeout is over', async () => {
    receiver.answer('hang');
    await expect(channelOf(type, receiver.url(), 60).send(sampleNotification())).resolves.toEqual({
      result: 'retry',
      reason: 'no answer (timeout)',
      afterMs: undefined,
    });
  });

  it('is retried where nothing listens', async () => {
    const port = await findFreePorts(1);
    await expect(
      channelOf(type, `http://127.0.0.1:${port}/${SECRET}`).send(sampleNotification()),
    ).resolves.toEqual({
      result: 'retry',
      reason: 'no answer (ECONNREFUSED)',
      afterMs: undefined,
    });
  });

  it.each([['not an address'], [`ftp://127.0.0.1/${SECRET}`], ['http://127.0.0.1:99999/']])(
    'is refused, not thrown, for the address %s',
    async (url) => {
      const outcome = await channelOf(type, url).send(sampleNotification());
      expect(outcome).toMatchObject({
        result: 'refused',
        reason: expect.stringContaining('address') as string,
      });
    },
  );

  it('tells no secret and nothing of the address in any reason', async () => {
    const port = new URL(receiver.url()).port;
    const echoes: Script[] = [400, 404, 429, 500].map((status) => ({
      status,
      headers: { 'retry-after': SECRET, 'x-echo': SECRET },
      body: `no such hook: ${SECRET}`,
    }));
    const scripts: Script[] = [
      ...echoes,
      'reset',
      'garbage',
      { status: 302, headers: { location: `/${SECRET}` } },
    ];
    receiver.answer(...scripts);
    const outcomes = [];
    while (outcomes.length < scripts.length) outcomes.push(await channelOf(type).send(sampleNotification()));
    outcomes.push(await channelOf(type, `http://no-such-host-${SECRET}.invalid/`).send(sampleNotification()));
    outcomes.push(await channelOf(type, `http://u:${SECRET}@[bad/`).send(sampleNotification()));
    const text = JSON.stringify(outcomes);
    expect(outcomes).toHaveLength(scripts.length + 2);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('no-such-host');
    expect(text).not.toContain(port);
  });

  it('sends a name and password of the address as basic authentication', async () => {
    const url = receiver.url().replace('http://', 'http://gate:p%40ss@');
    await channelOf(type, url).send(sampleNotification());
    expect(receiver.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('gate:p@ss').toString('base64')}`,
    );
  });
});

describe('the webhook channel', () => {
  it.each<Script>([
    'hang_in_body',
    'break_in_body',
    { status: 204 },
    { status: 202, body: 'x'.repeat(5_000_000) },
  ])('takes a 2xx for sent whatever comes after it: %j', async (script) => {
    receiver.answer(script);
    const outcome = await channelOf('webhook', receiver.url(), 500).send(sampleNotification());
    expect(outcome).toEqual({ result: 'sent' });
  });
});

describe('the Slack channel', () => {
  it.each([
    [400, 'invalid_payload'],
    [403, 'action_prohibited'],
    [404, 'no_service'],
    [410, 'channel_is_archived'],
  ])("tells Slack's own word for a %i: %s", async (status, body) => {
    receiver.answer({ status, body });
    await expect(channelOf('slack').send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: `answered ${status}: ${body}`,
    });
  });

  it('is refused by a page that answers 200 in the place of Slack', async () => {
    receiver.answer({ status: 200, body: '<html>Please log in</html>' });
    await expect(channelOf('slack').send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'answered 200, but not with Slack\'s "ok"',
    });
  });

  it.each<Script>(['hang_in_body', 'break_in_body'])(
    'is retried when the "ok" did not come whole: %s',
    async (script) => {
      receiver.answer(script);
      await expect(channelOf('slack', receiver.url(), 500).send(sampleNotification())).resolves.toMatchObject(
        {
          result: 'retry',
          reason: 'answered 200, but broke off',
        },
      );
    },
  );
});

describe('a POST', () => {
  it('keeps only the beginning of an answer that does not end', async () => {
    receiver.answer('endless');
    const answer = await postJson(new Secret(receiver.url()), {}, 2_000);
    expect(answer).toEqual({
      kind: 'answer',
      status: 200,
      retryAfter: undefined,
      body: 'x'.repeat(MAX_ANSWER_BYTES),
      broken: false,
    });
  });
});
