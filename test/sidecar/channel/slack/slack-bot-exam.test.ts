// What every channel has to stand, for the bot of Slack: each call of it, whatever answers in the place of Slack.
import { createChannel } from '../../../../sidecar/channel/create-channels';
import type { Outcome, Thread } from '../../../../sidecar/channel/channel';
import { slackBotSettings } from '../../../support/channel-settings';
import { findFreePorts } from '../../../support/free-ports';
import { ManualClock } from '../../../support/manual-clock';
import { sampleNotification } from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { WebhookReceiver, type Script } from '../../../support/webhook-receiver';

const SECRET = 'xoxb-sample-bot-token';
const THREAD: Thread = {
  conversation: 'C0123456789',
  channel: 'C0123456789',
  ts: '1772359200.000001',
  alerts: '[]',
};

let receiver: WebhookReceiver;
let clock: ManualClock;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
  clock = new ManualClock(Date.parse('2026-03-01T10:00:00Z'));
});
afterEach(() => receiver.close());

function send(thread?: Thread, timeoutMs = 5_000, apiUrl = receiver.url('/api')): Promise<Outcome> {
  const parts = { clock, project: NO_PROJECT, externalUrl: undefined };
  return createChannel(slackBotSettings(apiUrl, { timeoutMs }), parts).send(sampleNotification(), thread);
}

function json(document: unknown, headers: Readonly<Record<string, string>> = {}): Script {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(document),
  };
}

const POSTED = json({ ok: true, channel: 'C0123456789', ts: '1772359200.000001' });

const OUTCOMES: readonly [string, Script, object][] = [
  ['retried on 408', { status: 408 }, { result: 'retry', reason: 'answered 408' }],
  ['retried on 425', { status: 425 }, { result: 'retry', reason: 'answered 425' }],
  [
    'retried on 429, not before the seconds it asks for',
    { status: 429, headers: { 'retry-after': '30' }, body: '{"ok":false,"error":"ratelimited"}' },
    { result: 'retry', afterMs: 30_000, reason: 'answered 429: ratelimited' },
  ],
  [
    'retried on 503, not before the date it asks for',
    { status: 503, headers: { 'retry-after': 'Sun, 01 Mar 2026 10:02:00 GMT' } },
    { result: 'retry', afterMs: 120_000 },
  ],
  ['retried on 500', { status: 500, body: '<html>' }, { result: 'retry', reason: 'answered 500' }],
  ['refused on 400', { status: 400 }, { result: 'refused', reason: 'answered 400' }],
  ['refused on 401', { status: 401 }, { result: 'refused', reason: 'answered 401' }],
  [
    'refused on 403 with the word of it',
    { status: 403, body: '{"ok":false,"error":"invalid_auth"}' },
    { result: 'refused', reason: 'answered 403: invalid_auth (check bot_token)' },
  ],
  ['refused on 404', { status: 404, body: 'no page' }, { result: 'refused', reason: 'answered 404' }],
  [
    'refused on a redirect',
    { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    { result: 'refused', reason: 'answered 302, a redirect, which is not followed' },
  ],
  ['retried after a reset', 'reset', { result: 'retry', reason: 'no answer (ECONNRESET)' }],
  ['retried after garbage', 'garbage', { result: 'retry' }],
  ['retried on a huge 500', { status: 500, body: 'x'.repeat(5_000_000) }, { result: 'retry' }],
  [
    'refused by a page that answers 200 in the place of Slack',
    { status: 200, body: '<html>Please log in</html>' },
    { result: 'refused', reason: 'answered, but not as Slack does' },
  ],
  ['refused on 204', { status: 204 }, { result: 'refused', reason: 'answered, but not as Slack does' }],
  ['refused on JSON that is no object', json('ok'), { result: 'refused' }],
  ['refused on an object without an ok', json({ error: 'x' }), { result: 'refused' }],
  ['refused on an ok that is a text', json({ ok: 'true' }), { result: 'refused' }],
  [
    'refused on an answer that is huge',
    json({ ok: true, ts: '1.1', channel: 'C1', text: 'x'.repeat(1_000_000) }),
    { result: 'refused', reason: 'answered, but not as Slack does' },
  ],
  ['refused on an answer that does not end', 'endless', { result: 'refused' }],
  [
    'retried when the answer breaks off',
    'break_in_body',
    { result: 'retry', reason: 'answered, but broke off' },
  ],
  [
    'retried on a word that Slack does not publish, which is not told: it may pass',
    json({ ok: false, error: 'gremlins_at_work' }),
    { result: 'retry', reason: 'Slack says no, without a word that can be told' },
  ],
  [
    'retried on ok:false without a word',
    json({ ok: false }),
    { result: 'retry', reason: 'Slack says no, without a word that can be told' },
  ],
  [
    'retried when Slack says with 200 that it is too much, not before the seconds it asks for',
    json({ ok: false, error: 'ratelimited' }, { 'retry-after': '7' }),
    { result: 'retry', afterMs: 7_000, reason: 'Slack says ratelimited' },
  ],
  [
    'refused on what no second try makes better',
    json({ ok: false, error: 'invalid_arguments' }),
    { result: 'refused', reason: 'Slack says invalid_arguments' },
  ],
];

describe.each<[string, Thread | undefined, readonly Script[], string]>([
  ['the first message', undefined, [], 'chat.postMessage'],
  ['the change of the first message', THREAD, [], 'chat.update'],
  ['the reply', THREAD, [POSTED], 'chat.postMessage'],
])('%s', (_, thread, before, method) => {
  it.each(OUTCOMES)('is %s', async (_name, script, outcome) => {
    receiver.answer(...before, script);
    const { reason, ...rest } = outcome as { reason?: string };
    await expect(send(thread)).resolves.toMatchObject({
      ...rest,
      reason: expect.stringContaining(`${method}: ${reason ?? ''}`) as string,
    });
    expect(receiver.requests.map(({ path }) => path).at(-1)).toBe(`/api/${method}`);
    expect(receiver.requests).toHaveLength(before.length + 1);
  });

  it('is given up when its time is over', async () => {
    receiver.answer(...before, 'hang');
    await expect(send(thread, 800)).resolves.toMatchObject({
      result: 'retry',
      reason: `${method}: no answer (timeout)`,
    });
  });

  it('is given up when its time is over in the middle of an answer', async () => {
    receiver.answer(...before, 'hang_in_body');
    await expect(send(thread, 800)).resolves.toMatchObject({
      result: 'retry',
      reason: `${method}: answered, but broke off`,
    });
  });

  it('tells no secret, whatever is answered', async () => {
    const words = [SECRET, `no_${SECRET}`, 'x'.repeat(41), '__proto__', 'constructor', 'toString', 'A_B'];
    for (const word of words) {
      receiver.answer(...before, json({ ok: false, error: word, needed: SECRET }, { 'x-echo': SECRET }));
      receiver.answer();
      const outcome = await send(thread);
      expect(outcome).toMatchObject({
        result: 'retry',
        reason: `${method}: Slack says no, without a word that can be told`,
      });
      expect(JSON.stringify(outcome)).not.toContain(SECRET);
    }
    receiver.answer(...before, { status: 500, body: SECRET, headers: { 'retry-after': SECRET } });
    expect(JSON.stringify(await send(thread))).not.toContain(SECRET);
  });
});

describe("the bot's calls", () => {
  it('end together within the time of one try', async () => {
    receiver.answer(POSTED, 'hang');
    // All but 50 ms pass while the first is answered. Were they not counted, the second would hang for 20 seconds.
    void receiver.received(1).then(() => clock.pass(20_000 - 50));
    const startedMs = performance.now();
    await expect(send(THREAD, 20_000)).resolves.toMatchObject({
      result: 'retry',
      reason: 'chat.postMessage: no answer (timeout)',
    });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  it('are retried where nothing listens, and the address is not told', async () => {
    const port = await findFreePorts(1);
    const outcome = await send(undefined, 5_000, `http://127.0.0.1:${port}/api`);
    expect(outcome).toMatchObject({ result: 'retry', reason: 'chat.postMessage: no answer (ECONNREFUSED)' });
    expect(JSON.stringify(outcome)).not.toContain(String(port));
  });

  it.each(['not an address', 'ftp://127.0.0.1', 'http://127.0.0.1:99999'])(
    'are refused, not thrown, for the address %s',
    async (apiUrl) => {
      await expect(send(undefined, 5_000, apiUrl)).resolves.toMatchObject({
        result: 'refused',
        reason: expect.stringContaining('address') as string,
      });
    },
  );

  it('do not follow a redirect with the token', async () => {
    const elsewhere = await WebhookReceiver.start();
    receiver.answer({ status: 307, headers: { location: elsewhere.url() } });
    await send();
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  it.each([
    ['no number', { ok: true, channel: 'C0123456789' }],
    ['a number that is none', { ok: true, channel: 'C0123456789', ts: '../../x' }],
    ['no channel', { ok: true, ts: '1772359200.000001' }],
  ])('take a message that was posted with %s for sent, and remember nothing of it', async (_, document) => {
    receiver.answer(json(document));
    await expect(send()).resolves.toEqual({ result: 'sent', thread: {} });
  });

  it('remember the message that was posted', async () => {
    receiver.answer(POSTED);
    await expect(send()).resolves.toMatchObject({
      result: 'sent',
      thread: { conversation: 'C0123456789', channel: 'C0123456789', ts: '1772359200.000001' },
    });
  });
});
