// What is read of the answers of Slack's Web API, whichever call of a bot it answers.
import { createChannel } from '../../../../sidecar/channel/create-channels';
import type { Outcome, Thread } from '../../../../sidecar/channel/channel';
import type { Notification } from '../../../../sidecar/notify/notification';
import { slackBotSettings } from '../../../support/channel-settings';
import { ManualClock } from '../../../support/manual-clock';
import { sampleNotification } from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { WebhookReceiver, type ScriptedAnswer } from '../../../support/webhook-receiver';

const SECRET = 'xoxb-sample-bot-token';
const POSTED = { conversation: 'C0123456789', channel: 'C0123456789', ts: '1772359200.000001' };

let receiver: WebhookReceiver;
let clock: ManualClock;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
  clock = new ManualClock();
});
afterEach(() => receiver.close());

function send(notification: Notification, thread?: Thread, timeoutMs = 20_000): Promise<Outcome> {
  const parts = { clock, project: NO_PROJECT, externalUrl: undefined };
  const settings = slackBotSettings(receiver.url('/api'), { timeoutMs });
  return createChannel(settings, parts).send(notification, thread);
}

function json(document: unknown, others: Partial<ScriptedAnswer> = {}): ScriptedAnswer {
  return { status: 200, body: JSON.stringify(document), ...others };
}

const NOT_SLACK = 'answered, but not as Slack does';
const NO_WORD = 'Slack says no, without a word that can be told';
const HUGE = { ok: true, ts: '1.1', channel: 'C1', text: 'x'.repeat(1_000_000) };
const UNPUBLISHED = [
  'gremlins_at_work',
  SECRET,
  `no_${SECRET}`,
  'x'.repeat(41),
  '__proto__',
  'constructor',
  'A_B',
];

function no(error: string, status = 200): ScriptedAnswer {
  return json({ ok: false, error, needed: SECRET }, { status });
}

const ANSWERS: readonly [string, ScriptedAnswer, Outcome['result'], string][] = [
  ['with the word of a 429', no('ratelimited', 429), 'retry', 'answered 429: ratelimited'],
  ['with what to do', no('invalid_auth', 403), 'refused', 'answered 403: invalid_auth (check bot_token)'],
  ['as not of Slack by a page', { status: 200, body: '<html>Log in' }, 'refused', NOT_SLACK],
  ['as not of Slack by JSON that is no object', json('ok'), 'refused', NOT_SLACK],
  ['as not of Slack by an object without an ok', json({ error: 'x' }), 'refused', NOT_SLACK],
  ['as not of Slack by an ok that is a text', json({ ok: 'true' }), 'refused', NOT_SLACK],
  ['as not of Slack by a document that is huge', json(HUGE), 'refused', NOT_SLACK],
  ['as final', no('invalid_arguments'), 'refused', 'Slack says invalid_arguments'],
  ['as what may pass where there is no word', json({ ok: false }), 'retry', NO_WORD],
  ...UNPUBLISHED.map((word): [string, ScriptedAnswer, 'retry', string] => [
    `as what may pass, without the word, where Slack does not publish it: ${word}`,
    no(word),
    'retry',
    NO_WORD,
  ]),
];

const told = sampleNotification();

describe.each<[string, string, Notification, Thread | undefined]>([
  ['the first message', 'chat.postMessage', told, undefined],
  [
    'the change of the first message',
    'chat.update',
    sampleNotification({ message: { kind: 'standing' } }),
    POSTED,
  ],
  ['the reply', 'chat.postMessage', told, { ...POSTED, shownId: told.id }],
])('the answer to %s', (_, method, notification, thread) => {
  it.each(ANSWERS)('is understood %s', async (_name, answer, result, reason) => {
    receiver.answer(answer);
    await expect(send(notification, thread)).resolves.toMatchObject({
      result,
      reason: `${method}: ${reason}`,
    });
    expect(receiver.requests.map(({ path }) => path)).toEqual([`/api/${method}`]);
  });

  it('may say with 200 that it is too much, and for how many seconds', async () => {
    receiver.answer(json({ ok: false, error: 'ratelimited' }, { headers: { 'retry-after': '7' } }));
    await expect(send(notification, thread)).resolves.toMatchObject({
      result: 'retry',
      reason: `${method}: Slack says ratelimited`,
      afterMs: 7_000,
    });
  });
});

describe("the bot's calls", () => {
  it('end together within the time of one try', async () => {
    receiver.answer(json({ ok: true, ...POSTED }), 'hang');
    // All but 50 ms pass while the first is answered. Were they not counted, the second would hang for 20 seconds.
    void receiver.received(1).then(() => clock.pass(20_000 - 50));
    const startedMs = performance.now();
    await expect(send(sampleNotification(), POSTED)).resolves.toMatchObject({
      result: 'retry',
      reason: 'chat.postMessage: no answer (timeout)',
    });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  it.each([
    ['no number', { ok: true, channel: 'C0123456789' }],
    ['a number that is none', { ok: true, channel: 'C0123456789', ts: '../../x' }],
    ['no channel', { ok: true, ts: '1772359200.000001' }],
  ])('take a message that was posted with %s for sent, and remember nothing of it', async (_, document) => {
    receiver.answer(json(document));
    await expect(send(sampleNotification())).resolves.toEqual({ result: 'sent', thread: {} });
  });

  it('remember the message that was posted', async () => {
    receiver.answer(json({ ok: true, channel: POSTED.channel, ts: POSTED.ts }));
    await expect(send(sampleNotification())).resolves.toMatchObject({ result: 'sent', thread: POSTED });
  });
});
