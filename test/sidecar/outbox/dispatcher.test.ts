import fc from 'fast-check';
import type { Channel } from '../../../sidecar/channel/channel';
import { MAX_QUEUED, type LetterEnd } from '../../../sidecar/outbox/channel-queue';
import { NO_PROJECT } from '../../support/sentry-project';
import { createChannels } from '../../../sidecar/channel/create-channels';
import { Dispatcher } from '../../../sidecar/outbox/dispatcher';
import type { Notification } from '../../../sidecar/notify/notification';
import { DELIVERY, slackWebhookSettings, webhookSettings } from '../../support/channel-settings';
import { captureLog } from '../../support/captured-log';
import { eventually } from '../../support/eventually';
import { ManualClock, settle } from '../../support/manual-clock';
import { sampleItem, sampleNotification, sampleResolved } from '../../support/sample-notification';
import { REFUSED, RETRY, retryAfter, ScriptedChannel, SENT } from '../../support/scripted-channel';
import { WebhookReceiver } from '../../support/webhook-receiver';

function dispatcherOf(...channels: Channel[]) {
  const clock = new ManualClock();
  const { logger, lines } = captureLog();
  // Without a random part the waits are 1, 2, 4, ... s.
  const ends: string[] = [];
  const onEnd = ({ letter, how }: LetterEnd): void => {
    if (letter.kind !== 'change') ends.push(`${how} ${nameOf(letter)}`);
  };
  const nothing = () => undefined;
  const parts = {
    clock,
    logger,
    random: () => 0,
    threadOf: nothing,
    onThread: nothing,
    onTry: nothing,
    onEnd,
  };
  const dispatcher = new Dispatcher(parts, channels);
  return { clock, dispatcher, lines, ends };
}

const NONE = { sent: 0, retried: 0, refused: 0, expired: 0, dropped: 0, replaced: 0 };

function dispatchTo(dispatcher: Dispatcher, notifications: readonly Notification[]): void {
  for (const letter of notifications) dispatcher.dispatch([{ letter, sinceMs: letter.createdMs }]);
}

function summary(notifications: readonly Notification[]): string[] {
  return notifications.map(nameOf);
}

/** Such as "firing slow". */
function nameOf({ items: [item] }: Notification): string {
  const { occasion, alert } = item ?? sampleItem();
  const service = alert.scope.level === 'service' ? alert.scope.service : '';
  return `${occasion === 'resolved' ? 'resolved' : 'firing'} ${service}`;
}

/** Settles once so many tries of each channel have failed. */
function retried(dispatcher: Dispatcher, counts: Readonly<Record<string, number>>): Promise<void> {
  return eventually(() => {
    for (const [channel, count] of Object.entries(counts))
      expect([channel, dispatcher.counts().get(channel)?.retried]).toEqual([channel, count]);
    return Promise.resolve();
  });
}

/** The same message for another channel. */
function forChannels(channels: readonly string[], notifications: readonly Notification[]): Notification[] {
  return channels.flatMap((channel) =>
    notifications.map((one) => ({ ...one, id: `${one.id} ${channel}`, channel })),
  );
}

describe('the dispatcher', () => {
  it('gives every notification to its channel once, in order', async () => {
    const [a, b] = [new ScriptedChannel('a'), new ScriptedChannel('b')];
    const { dispatcher, ends } = dispatcherOf(a, b);
    dispatchTo(
      dispatcher,
      forChannels(['a', 'b'], [sampleNotification(), sampleNotification({ service: 'other' })]),
    );
    dispatchTo(dispatcher, forChannels(['a', 'b'], [sampleResolved()]));
    await settle();
    expect(ends).toHaveLength(6);
    for (const channel of [a, b])
      expect(summary(channel.tries)).toEqual(['firing slow', 'firing other', 'resolved slow']);
    expect(dispatcher.status()).toEqual([
      { name: 'a', type: 'scripted', queued: 0, counts: { ...NONE, sent: 3 }, lastProblem: undefined },
      { name: 'b', type: 'scripted', queued: 0, counts: { ...NONE, sent: 3 }, lastProblem: undefined },
    ]);
  });

  it('tries again after 1, 2, 4 s and so on, and sends what waited behind in order', async () => {
    const channel = new ScriptedChannel('a').answer(RETRY, RETRY, RETRY);
    const { clock, dispatcher } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification(), sampleResolved()]);
    const triesAfter: [number, number][] = [];
    for (const atMs of [0, 999, 1_000, 2_999, 3_000, 6_999, 7_000]) {
      await clock.advanceAndSettle(atMs - clock.monotonicMs());
      triesAfter.push([atMs, channel.tries.length]);
    }
    expect(triesAfter).toEqual([
      [0, 1],
      [999, 1],
      [1_000, 2],
      [2_999, 2],
      [3_000, 3],
      [6_999, 3],
      [7_000, 5],
    ]);
    expect(summary(channel.tries.slice(3))).toEqual(['firing slow', 'resolved slow']);
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, sent: 2, retried: 3 });
  });

  it('waits as long as the receiver asks for', async () => {
    const channel = new ScriptedChannel('a').answer(retryAfter(90_000));
    const { clock, dispatcher } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification()]);
    await clock.advanceAndSettle(89_999);
    expect(channel.tries).toHaveLength(1);
    expect(dispatcher.status()).toMatchObject([{ queued: 1, lastProblem: 'answered 503' }]);
    await clock.advanceAndSettle(1);
    expect(channel.tries).toHaveLength(2);
    expect(dispatcher.status()).toMatchObject([{ queued: 0, lastProblem: undefined }]);
  });

  it('does not repeat what is refused, goes on with the next, and says why in the log', async () => {
    const channel = new ScriptedChannel('a').answer(REFUSED);
    const { dispatcher, lines } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification(), sampleNotification({ service: 'other' })]);
    await settle();
    expect(summary(channel.tries)).toEqual(['firing slow', 'firing other']);
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, sent: 1, refused: 1 });
    expect(lines.find((line) => line.includes('refused'))).toContain('answered 404');
  });

  it('gives up after an hour, and sends what came later', async () => {
    const channel = new ScriptedChannel('a');
    channel.otherwise = RETRY;
    const { clock, dispatcher } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification(), sampleResolved()]);
    await clock.advanceAndSettle(DELIVERY.deadlineMs - 600_000);
    dispatchTo(dispatcher, [sampleNotification({ service: 'later', message: { createdMs: clock.nowMs() } })]);
    await clock.advanceAndSettle(610_000);
    expect(dispatcher.status()).toMatchObject([{ queued: 1, counts: { expired: 2, sent: 0 } }]);
    channel.otherwise = SENT;
    await clock.advanceAndSettle(120_000);
    expect(summary(channel.tries).at(-1)).toBe('firing later');
    expect(dispatcher.status()).toMatchObject([{ queued: 0, counts: { expired: 2, sent: 1 } }]);
    expect(clock.timers).toBe(0);
  });

  it('gives up at once where the receiver wants no try within the hour', async () => {
    const channel = new ScriptedChannel('a').answer(retryAfter(DELIVERY.deadlineMs + 1));
    const { dispatcher } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification()]);
    await settle();
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, retried: 1, expired: 1 });
  });

  it('counts the hour from when the notification was made, so that what waited through a long stop expires', async () => {
    const channel = new ScriptedChannel('a');
    const { clock, dispatcher, ends } = dispatcherOf(channel);
    const madeAgo = (ms: number, service: string): Notification =>
      sampleNotification({ service, message: { createdMs: clock.nowMs() - ms } });
    dispatchTo(dispatcher, [madeAgo(DELIVERY.deadlineMs, 'old'), madeAgo(DELIVERY.deadlineMs - 1, 'young')]);
    await settle();
    dispatchTo(dispatcher, [madeAgo(0, 'new')]);
    await settle();
    expect(ends).toEqual(['expired firing old', 'sent firing young', 'sent firing new']);
  });

  it('does not expire what is from the future, where the clock was set back', async () => {
    const channel = new ScriptedChannel('a');
    channel.otherwise = RETRY;
    const { clock, dispatcher, ends } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification({ message: { createdMs: clock.nowMs() + 86_400_000 } })]);
    await clock.advanceAndSettle(DELIVERY.deadlineMs - 120_000);
    expect(ends).toEqual([]);
    await clock.advanceAndSettle(120_000);
    expect(ends).toEqual(['expired firing slow']);
  });

  it('does not try what has waited behind another for an hour', async () => {
    const channel = new ScriptedChannel('a').answer('hang');
    const { clock, dispatcher } = dispatcherOf(channel);
    dispatchTo(dispatcher, [
      sampleNotification({ message: { createdMs: clock.nowMs() } }),
      sampleResolved({ message: { createdMs: clock.nowMs() + 5_000 - DELIVERY.deadlineMs } }),
    ]);
    await clock.advanceAndSettle(5_000);
    channel.release(SENT);
    await settle();
    expect(summary(channel.tries)).toEqual(['firing slow']);
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, sent: 1, expired: 1 });
  });

  it('never lets a channel that hangs delay another', async () => {
    const [hung, fine] = [new ScriptedChannel('hung'), new ScriptedChannel('fine')];
    hung.otherwise = 'hang';
    const { dispatcher } = dispatcherOf(hung, fine);
    dispatchTo(dispatcher, forChannels(['hung', 'fine'], [sampleNotification(), sampleResolved()]));
    await settle();
    expect(summary(fine.tries)).toEqual(['firing slow', 'resolved slow']);
    expect(summary(hung.tries)).toEqual(['firing slow']);
  });

  it('survives a channel that throws, without showing what was thrown', async () => {
    const channel = new ScriptedChannel('a').answer('throw');
    const { clock, dispatcher, lines } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification()]);
    await clock.advanceAndSettle(1_000);
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, sent: 1, retried: 1 });
    expect(lines.join('')).not.toContain('secret');
  });

  it('takes no more than its bound, drops the oldest that is not being tried, and counts it', async () => {
    const channel = new ScriptedChannel('a').answer('hang');
    const { dispatcher, lines } = dispatcherOf(channel);
    const service = (index: number) => `s${index}`;
    dispatchTo(
      dispatcher,
      Array.from({ length: MAX_QUEUED + 2 }, (_, index) => sampleNotification({ service: service(index) })),
    );
    expect(dispatcher.status()).toMatchObject([{ queued: MAX_QUEUED, counts: { dropped: 2 } }]);
    expect(lines.filter((line) => line.includes('notification dropped'))).toHaveLength(2);
    channel.release(SENT);
    await settle();
    const rest = Array.from({ length: MAX_QUEUED - 1 }, (_, index) => service(index + 3));
    expect(summary(channel.tries)).toEqual([service(0), ...rest].map((name) => `firing ${name}`));
  });

  it('ends as dropped what is for a channel that there is not', () => {
    const { dispatcher, ends } = dispatcherOf();
    dispatchTo(dispatcher, [sampleNotification(), sampleResolved()]);
    expect(ends).toEqual(['dropped firing slow', 'dropped resolved slow']);
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, dropped: 2 });
  });

  it('ends every notification exactly once, whatever a channel answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(SENT, RETRY, REFUSED, 'throw' as const), { maxLength: 40 }),
        fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 20 }),
        async (script, services) => {
          const channel = new ScriptedChannel('a').answer(...script);
          const { clock, dispatcher, ends } = dispatcherOf(channel);
          const given = services.map((service, index) =>
            index % 2 === 0 ? sampleNotification({ service }) : sampleResolved({ service }),
          );
          dispatchTo(dispatcher, given);
          await clock.advanceAndSettle(2 * DELIVERY.deadlineMs);
          const { sent, refused, expired, dropped, retried } = dispatcher.counts().get('a') ?? NONE;
          expect(sent + refused + expired + dropped).toBe(given.length);
          expect(channel.tries.length).toBe(sent + refused + retried);
          for (const service of services) {
            const own = given.filter(({ groupLabels }) => groupLabels['service'] === service);
            expect(
              ends.map((end) => end.replace(/^\w+ /, '')).filter((end) => end.endsWith(service)),
            ).toEqual(summary(own));
            // Repeated tries aside, those of one alert are tried in the order in which they came.
            const tries = channel.tries.filter(({ groupLabels }) => groupLabels['service'] === service);
            expect(tries.filter((one, index) => one !== tries[index - 1])).toEqual(own);
          }
        },
      ),
      { numRuns: 60, seed: 8 },
    );
  });
});

describe('a reload', () => {
  it('keeps the queue of a channel that keeps its name, and tries it at once through the new settings', async () => {
    const before = new ScriptedChannel('a');
    before.otherwise = retryAfter(600_000);
    const { dispatcher } = dispatcherOf(before);
    dispatchTo(dispatcher, [sampleNotification(), sampleResolved()]);
    await settle();
    const after = new ScriptedChannel('a');
    dispatcher.reconfigure([after]);
    await settle();
    expect([before.tries.length, summary(after.tries)]).toEqual([1, ['firing slow', 'resolved slow']]);
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, retried: 1, sent: 2 });
  });

  it('drops what a removed channel has, counted, and its counters go on when it comes back', async () => {
    const channel = new ScriptedChannel('a').answer(SENT, RETRY);
    const { clock, dispatcher } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification(), sampleNotification(), sampleResolved()]);
    await settle();
    dispatcher.reconfigure([]);
    await settle();
    expect(dispatcher.status()).toEqual([]);
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, sent: 1, retried: 1, dropped: 2 });
    expect(clock.timers).toBe(0);
    dispatcher.reconfigure([channel]);
    dispatchTo(dispatcher, [sampleNotification()]);
    await settle();
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, sent: 2, retried: 1, dropped: 2 });
  });

  it('counts a try under way through a removed channel once, as dropped', async () => {
    const channel = new ScriptedChannel('a').answer('hang');
    const { dispatcher } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification(), sampleResolved()]);
    dispatcher.reconfigure([]);
    channel.release(SENT);
    await settle();
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, dropped: 2 });
    expect(channel.tries).toHaveLength(1);
  });
});

describe('the end of the process', () => {
  it('waits for what is being sent and is over as soon as nothing is left', async () => {
    const channel = new ScriptedChannel('a').answer('hang');
    const { clock, dispatcher } = dispatcherOf(channel);
    dispatchTo(dispatcher, [sampleNotification(), sampleResolved()]);
    const drained = dispatcher.drain(5_000);
    channel.release(SENT);
    await drained;
    expect(dispatcher.counts().get('a')).toEqual({ ...NONE, sent: 2 });
    expect(clock.timers).toBe(0);
  });

  it('tries once more at once what waits for a repeat, but not what its receiver does not want yet', async () => {
    const [down, busy] = [new ScriptedChannel('down'), new ScriptedChannel('busy')];
    down.answer(RETRY);
    busy.answer(retryAfter(600_000));
    const { clock, dispatcher } = dispatcherOf(down, busy);
    dispatchTo(dispatcher, forChannels(['down', 'busy'], [sampleNotification()]));
    await settle();
    const drained = dispatcher.drain(5_000);
    await clock.advanceAndSettle(5_000);
    await drained;
    expect(dispatcher.counts().get('down')).toEqual({ ...NONE, retried: 1, sent: 1 });
    expect(dispatcher.counts().get('busy')).toEqual({ ...NONE, retried: 1 });
  });

  it('ends in time with a channel that hangs, and leaves to the next start what was not sent', async () => {
    const [hung, down] = [new ScriptedChannel('hung'), new ScriptedChannel('down')];
    hung.otherwise = 'hang';
    down.otherwise = RETRY;
    const { clock, dispatcher, lines, ends } = dispatcherOf(hung, down);
    dispatchTo(dispatcher, forChannels(['hung', 'down'], [sampleNotification(), sampleResolved()]));
    let isOver = false;
    const drained = dispatcher.drain(5_000).then(() => {
      isOver = true;
    });
    await clock.advanceAndSettle(4_999);
    expect(isOver).toBe(false);
    await clock.advanceAndSettle(1);
    await drained;
    expect(ends).toEqual([]);
    // A late answer may still be written down, but nothing more is tried.
    hung.release(SENT);
    dispatchTo(dispatcher, forChannels(['hung'], [sampleNotification()]));
    await settle();
    expect(ends).toEqual(['sent firing slow']);
    expect(dispatcher.counts().get('hung')).toEqual({ ...NONE, sent: 1 });
    expect(hung.tries).toHaveLength(1);
    expect(lines.filter((line) => line.includes('to be sent after the next start'))).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });

  it('is over at once where there is nothing to send', async () => {
    const { dispatcher } = dispatcherOf(new ScriptedChannel('a'));
    await dispatcher.drain(5_000);
    expect(dispatcher.counts().get('a')).toEqual(NONE);
  });
});

describe('the dispatcher over HTTP', () => {
  const SECRET = 'K0SECRET-path-key';
  let hook: WebhookReceiver;
  let slack: WebhookReceiver;

  beforeEach(async () => {
    [hook, slack] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
  });
  afterEach(() => Promise.all([hook.close(), slack.close()]));

  function httpDispatcher() {
    const bench = dispatcherOf();
    const timeoutMs = 2_000;
    bench.dispatcher.reconfigure(
      createChannels(
        [
          webhookSettings(hook.url(`/${SECRET}`), { timeoutMs }),
          slackWebhookSettings(slack.url(`/${SECRET}`), { name: 'slack', timeoutMs }),
        ],
        { clock: bench.clock, project: NO_PROJECT, externalUrl: undefined },
      ),
    );
    return bench;
  }

  it('delivers firing and resolved to each receiver exactly once', async () => {
    const { dispatcher } = httpDispatcher();
    dispatchTo(dispatcher, forChannels(['hook', 'slack'], [sampleNotification()]));
    dispatchTo(dispatcher, forChannels(['hook', 'slack'], [sampleResolved()]));
    await dispatcher.drain(5_000);
    const statuses = hook.requests.map(({ body }) => (JSON.parse(body) as { status: string }).status);
    expect(statuses).toEqual(['firing', 'resolved']);
    expect(slack.requests.map(({ body }) => (JSON.parse(body) as { text: string }).text)).toEqual([
      expect.stringMatching(/^CRITICAL: High p95 latency/),
      expect.stringMatching(/^Resolved: p95 latency/),
    ]);
  });

  it('repeats the same document after failures of every kind, then goes on in order', async () => {
    const { clock, dispatcher } = httpDispatcher();
    hook.answer({ status: 500 }, 'reset', { status: 429, headers: { 'retry-after': '7' } }, 'garbage');
    dispatchTo(dispatcher, forChannels(['hook'], [sampleNotification(), sampleResolved()]));
    for (let tries = 1; tries <= 4; tries += 1) {
      await retried(dispatcher, { hook: tries });
      expect(hook.requests).toHaveLength(tries);
      clock.advance(60_000);
    }
    await hook.received(6);
    await dispatcher.drain(5_000);
    const bodies = hook.requests.map(({ body }) => body);
    expect(new Set(bodies.slice(0, 5)).size).toBe(1);
    expect(bodies).toHaveLength(6);
    expect(bodies[5]).toContain('"status":"resolved"');
    expect(dispatcher.counts().get('hook')).toEqual({ ...NONE, sent: 2, retried: 4 });
  });

  it('delivers to one receiver while the other hangs', async () => {
    const { dispatcher } = httpDispatcher();
    slack.otherwise = 'hang';
    dispatchTo(dispatcher, forChannels(['hook', 'slack'], [sampleNotification(), sampleResolved()]));
    await hook.received(2);
    await slack.received(1);
    expect(dispatcher.status()).toMatchObject([{ name: 'hook' }, { name: 'slack', queued: 2 }]);
  });

  it('writes no secret into the log, whatever the receivers answer', async () => {
    const { clock, dispatcher, lines } = httpDispatcher();
    const body = `no such hook: ${SECRET}`;
    for (const receiver of [hook, slack])
      receiver.answer({ status: 503, body }, { status: 404, body }, 'reset');
    dispatchTo(dispatcher, forChannels(['hook', 'slack'], [sampleNotification(), sampleResolved()]));
    for (let waits = 1; waits <= 2; waits += 1) {
      await retried(dispatcher, { hook: waits, slack: waits });
      clock.advance(60_000);
    }
    await dispatcher.drain(5_000);
    expect(lines.length).toBeGreaterThanOrEqual(8);
    expect(lines.join('')).not.toContain(SECRET);
    expect(JSON.stringify(dispatcher.status())).not.toContain(SECRET);
  });
});
