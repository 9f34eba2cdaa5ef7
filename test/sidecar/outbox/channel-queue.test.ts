import fc from 'fast-check';
import type { Outcome } from '../../../sidecar/channel/channel';
import type { DeliverySettings } from '../../../sidecar/config/channel/channel-base';
import { orderKeysOf } from '../../../sidecar/notify/letter';
import type { Notification } from '../../../sidecar/notify/notification';
import {
  ChannelQueue,
  MOST_TRY_MS,
  type ChannelCounts,
  type LetterEnd,
  type Try,
} from '../../../sidecar/outbox/channel-queue';
import { AnsweringChannel, hangs } from '../../support/answering-channel';
import { captureLog } from '../../support/captured-log';
import { ManualClock, settle } from '../../support/manual-clock';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
} from '../../support/sample-notification';
import { REFUSED, RETRY, retryAfter, SENT } from '../../support/scripted-channel';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

function queueOf(delivery: Partial<DeliverySettings> = {}, random: () => number = () => 0) {
  const clock = new ManualClock();
  const { logger, lines } = captureLog();
  const channel = new AnsweringChannel('a', delivery);
  const ends: LetterEnd[] = [];
  const tries: Try[] = [];
  const counts: ChannelCounts = { sent: 0, retried: 0, refused: 0, expired: 0, dropped: 0, replaced: 0 };
  const queue = new ChannelQueue(channel, counts, {
    clock,
    logger,
    random,
    threadOf: () => undefined,
    onThread: () => undefined,
    onTry: (made) => tries.push(made),
    onEnd: (end) => ends.push(end),
  });
  const add = (...letters: Notification[]): void => {
    for (const letter of letters) queue.add([{ letter, sinceMs: clock.nowMs() }]);
  };
  return { clock, channel, queue, counts, ends, tries, add, lines };
}

function of(service: string): Notification {
  return sampleNotification({ service });
}

function standing(service: string): Notification {
  return sampleNotification({ service, message: { kind: 'standing', groupKey: '' } });
}

/** Such as `sent slow`. */
function endings(ends: readonly LetterEnd[]): string[] {
  return ends.map(
    ({ how, letter }) => `${how} ${'groupLabels' in letter ? (letter.groupLabels['service'] ?? '') : ''}`,
  );
}

function services(channel: AnsweringChannel): string[] {
  return channel.tries.map(({ letter }) => letter.groupLabels['service'] ?? '');
}

describe('letters of one channel', () => {
  it('that tell of other alerts pass one that cannot be delivered', async () => {
    const { clock, channel, add, ends } = queueOf();
    channel.answers(({ letter }) => (letter.groupLabels['service'] === 'stuck' ? RETRY : SENT));
    add(of('stuck'), of('b'), of('c'), sampleResolved({ service: 'stuck' }));
    await clock.advanceAndSettle(500);
    expect(endings(ends)).toEqual(['sent b', 'sent c']);
  });

  it('wait for an older one that shares only one of many alerts', async () => {
    const { clock, channel, add } = queueOf({ maxInFlight: 4 });
    const both = sampleGroup([sampleItem({ service: 'x' }), sampleItem({ service: 'y' })], {
      service: 'both',
    });
    const other = sampleGroup([sampleItem({ service: 'y' }), sampleItem({ service: 'z' })], {
      service: 'other',
    });
    channel.answers(() => hangs());
    add(both, other, of('z'), of('free'));
    await clock.advanceAndSettle(500);
    expect(services(channel)).toEqual(['both', 'free']);
  });

  it('go out side by side, and no more of them than the channel takes at a time', async () => {
    const { clock, channel, add, ends } = queueOf({ maxInFlight: 3 });
    channel.answers(() => new Promise((resolve) => clock.after(SECOND_MS, () => resolve(SENT))));
    add(...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(of));
    await clock.advanceAndSettle(0);
    expect(channel.underWay).toBe(3);
    await clock.advanceAndSettle(3 * SECOND_MS);
    expect([channel.mostUnderWay, ends.length]).toEqual([3, 7]);
  });

  it('keep the order of each alert and each group, whatever the channel answers and however long it takes', async () => {
    const answers = fc.array(
      fc.record({
        what: fc.constantFrom(SENT, SENT, RETRY, REFUSED, retryAfter(3_000), 'throw' as const),
        afterMs: fc.oneof(fc.constant(0), fc.nat(30_000)),
      }),
      { maxLength: 60 },
    );
    const letter = fc.record({
      services: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 2 }),
      group: fc.constantFrom('g1', 'g2', 'own'),
      pauseMs: fc.oneof(fc.constant(0), fc.nat(10_000)),
    });
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.array(letter, { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(5, 60, 6_000),
        fc.constantFrom(20 * SECOND_MS, 5 * MINUTE_MS, 60 * MINUTE_MS),
        async (script, letters, maxInFlight, maxPerMinute, deadlineMs) => {
          const { clock, channel, add, ends, counts, tries } = queueOf({
            maxInFlight,
            maxPerMinute,
            deadlineMs,
          });
          const begunMs: number[] = [];
          const open = new Set<string>();
          const overlaps: string[] = [];
          let next = 0;
          channel.answers(async ({ letter: given }) => {
            begunMs.push(clock.monotonicMs());
            const keys = orderKeysOf(given);
            overlaps.push(...keys.filter((key) => open.has(key)));
            for (const key of keys) open.add(key);
            const { what, afterMs } = script[next++] ?? { what: SENT, afterMs: 0 };
            if (afterMs > 0) await new Promise<void>((resolve) => clock.after(afterMs, resolve));
            for (const key of keys) open.delete(key);
            if (what === 'throw') throw new Error('a fault');
            return what;
          });
          const given: Notification[] = [];
          for (const { services: of, group, pauseMs } of letters) {
            const items = of.map((service) => sampleItem({ service }));
            const groupKey = group === 'own' ? of.join() : group;
            const one = sampleGroup(items, { message: { groupKey } });
            given.push(one);
            add(one);
            if (pauseMs > 0) await clock.advanceAndSettle(pauseMs);
          }
          await clock.advanceAndSettle(2 * 3_600_000);
          // Each has one end, and each try is told.
          expect(ends.map((end) => end.letter.id).sort()).toEqual(given.map(({ id }) => id).sort());
          expect(tries).toHaveLength(channel.tries.length);
          expect(tries).toHaveLength(counts.sent + counts.refused + counts.retried);
          // None of the same alert or group at a time, none before an older one has ended, and no more than may be.
          expect(overlaps).toEqual([]);
          expect(channel.mostUnderWay).toBeLessThanOrEqual(maxInFlight);
          for (const key of new Set(given.flatMap(orderKeysOf))) {
            const own = (one: Notification): boolean => orderKeysOf(one).includes(key);
            const expected = given.filter(own).map(({ id }) => id);
            const tried = channel.tries.map((one) => one.letter).filter(own);
            const triedInTurn = tried.map(({ id }) => id).filter((id, index, ids) => id !== ids[index - 1]);
            expect(triedInTurn).toEqual(expected.filter((id) => triedInTurn.includes(id)));
            const ended = ends
              .flatMap((end) => (end.letter.kind === 'change' ? [] : [end.letter]))
              .filter(own);
            expect(ended.map(({ id }) => id)).toEqual(expected);
          }
          begunMs.forEach((ms, index) => {
            const inMinute = begunMs.slice(index).filter((other) => other < ms + MINUTE_MS).length;
            expect(inMinute).toBeLessThanOrEqual(maxPerMinute);
          });
          expect(clock.timers).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('a receiver that names a time', () => {
  it('is left alone until then by all letters of its channel, and new ones too', async () => {
    const { clock, channel, add } = queueOf({ maxInFlight: 4 });
    channel.answers(({ letter }) =>
      letter.groupLabels['service'] === 'a' ? retryAfter(30 * SECOND_MS) : RETRY,
    );
    add(of('b'), of('a'));
    await clock.advanceAndSettle(29_999);
    add(of('c'));
    await clock.advanceAndSettle(0);
    expect(services(channel)).toEqual(['b', 'a']);
    channel.answers(() => SENT);
    await clock.advanceAndSettle(1);
    expect(services(channel)).toEqual(['b', 'a', 'b', 'a', 'c']);
  });

  it('that is too late for what waits is left alone all the same: that has expired at once, and what comes later waits', async () => {
    const deadlineMs = 10 * MINUTE_MS;
    const { clock, channel, add, ends } = queueOf({ deadlineMs });
    channel.answers(() => retryAfter(365 * 86_400_000));
    add(of('a'), of('b'));
    await clock.advanceAndSettle(0);
    expect(endings(ends)).toEqual(['expired a', 'expired b']);
    expect(ends.map(({ reason }) => reason)).toEqual(['answered 503', 'answered 503']);
    await clock.advanceAndSettle(MINUTE_MS);
    channel.answers(() => SENT);
    add(of('c'));
    await clock.advanceAndSettle(9 * MINUTE_MS - 1);
    expect(services(channel)).toEqual(['a']);
    // No receiver is believed for longer than a letter waits.
    await clock.advanceAndSettle(1);
    expect(services(channel)).toEqual(['a', 'c']);
  });

  it.each([
    [NaN, 15],
    [-5_000, 15],
    [Infinity, 1],
  ])('and says %p ms does no harm', async (afterMs, tries) => {
    const { clock, channel, add, ends } = queueOf({ deadlineMs: 10 * MINUTE_MS });
    channel.answers(() => retryAfter(afterMs));
    add(of('a'));
    await clock.advanceAndSettle(20 * MINUTE_MS);
    expect([endings(ends), channel.tries.length]).toEqual([['expired a'], tries]);
    expect(clock.timers).toBe(0);
    channel.answers(() => SENT);
    add(of('b'));
    await clock.advanceAndSettle(10 * MINUTE_MS);
    expect(endings(ends)).toEqual(['expired a', 'sent b']);
  });

  it('is asked again at once after a reload, and not at the end of the process', async () => {
    const { clock, channel, queue, add } = queueOf();
    channel.answers(() => retryAfter(10 * MINUTE_MS));
    add(of('a'));
    await settle();
    queue.replaceChannel(channel);
    await settle();
    queue.retryNow();
    await settle();
    expect([channel.tries.length, clock.monotonicMs()]).toEqual([2, 0]);
  });

  it('is left alone after a reload that changes nothing of its settings', async () => {
    const { channel, queue, add } = queueOf();
    channel.answers(() => retryAfter(10 * MINUTE_MS));
    const { name, type, delivery } = channel;
    const reload = async (fingerprint: string): Promise<void> => {
      queue.replaceChannel({ name, type, delivery, fingerprint, send: (letter) => channel.send(letter) });
      await settle();
    };
    await reload('as it was');
    add(of('a'));
    await settle();
    await reload('as it was');
    expect(channel.tries).toHaveLength(1);
    await reload('another');
    expect(channel.tries).toHaveLength(2);
  });
});

describe('the deadline', () => {
  it('is kept by everything that waits, however random the waits are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        fc.integer({ min: 10, max: 3_600 }),
        async (randoms, deadlineS) => {
          const deadlineMs = deadlineS * SECOND_MS;
          const { clock, channel, add, ends } = queueOf({ deadlineMs }, () => Number(randoms.next().value));
          const triedMs: number[] = [];
          channel.answers(() => {
            triedMs.push(clock.monotonicMs());
            return RETRY;
          });
          add(of('a'), sampleResolved({ service: 'a' }));
          await clock.advanceAndSettle(deadlineMs);
          expect(endings(ends)).toEqual(['expired a', 'expired a']);
          expect(triedMs.length).toBeGreaterThan(2);
          expect(Math.max(...triedMs)).toBeLessThanOrEqual(deadlineMs);
          // The waits double up to a minute, less up to a half.
          const ofFirst = triedMs.slice(0, ends[0]?.failures ?? 0);
          ofFirst.slice(1).forEach((ms, index) => {
            const fullMs = Math.min(MINUTE_MS, SECOND_MS * 2 ** index);
            const waitedMs = ms - (ofFirst[index] ?? 0);
            expect(waitedMs).toBeGreaterThanOrEqual(fullMs / 2 - 1e-6);
            expect(waitedMs).toBeLessThanOrEqual(fullMs + 1e-6);
          });
          expect(clock.timers).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends what waits behind another that hangs, and says so', async () => {
    const { clock, channel, add, ends } = queueOf({ deadlineMs: 10 * SECOND_MS });
    channel.answers(() => hangs());
    add(of('a'), of('b'));
    await clock.advanceAndSettle(10 * SECOND_MS);
    expect(endings(ends)).toEqual(['expired b']);
    expect(ends[0]?.reason).toBe('it waited for its turn until its deadline');
  });

  it('ends what waits behind one that is being tried after that one, so that a fallback is told in order', async () => {
    const { clock, channel, add, ends } = queueOf({ deadlineMs: 10 * SECOND_MS, maxInFlight: 2 });
    channel.answers(() => new Promise((resolve) => clock.after(30 * SECOND_MS, () => resolve(RETRY))));
    add(of('a'), sampleResolved({ service: 'a' }));
    await clock.advanceAndSettle(30 * SECOND_MS - 1);
    expect([endings(ends), channel.tries.length]).toEqual([[], 1]);
    await clock.advanceAndSettle(1);
    expect(ends.map(({ how, letter }) => [how, letter.id])).toEqual([
      ['expired', channel.tries[0]?.letter.id],
      ['expired', expect.any(String)],
    ]);
    expect([channel.tries.length, clock.timers]).toEqual([1, 0]);
  });

  it('ends what the rate of the channel does not let through in time', async () => {
    const { clock, add, ends } = queueOf({ deadlineMs: 30 * SECOND_MS, maxPerMinute: 6 });
    add(...['a', 'b', 'c', 'd', 'e', 'f'].map(of));
    await clock.advanceAndSettle(MINUTE_MS);
    expect(endings(ends).sort()).toEqual([
      'expired d',
      'expired e',
      'expired f',
      'sent a',
      'sent b',
      'sent c',
    ]);
  });
});

describe('a channel that is broken', () => {
  it('and never ends a try is given up, and the letter goes on as after any failure', async () => {
    const { clock, channel, add, ends, tries } = queueOf();
    channel.answers(() => hangs());
    add(of('a'), of('b'));
    await clock.advanceAndSettle(MOST_TRY_MS - 1);
    expect([tries, services(channel)]).toEqual([[], ['a']]);
    channel.answers(() => SENT);
    await clock.advanceAndSettle(1 + SECOND_MS);
    expect(endings(ends)).toEqual(['sent b', 'sent a']);
    expect(ends.map(({ failures }) => failures)).toEqual([0, 1]);
  });

  it('and answers after it was given up is not heard any more', async () => {
    const { clock, channel, queue, add, ends, counts } = queueOf();
    let answerLate: (outcome: Outcome) => void = () => undefined;
    channel.answers(() => new Promise((resolve) => (answerLate = resolve)));
    add(of('a'));
    await clock.advanceAndSettle(MOST_TRY_MS);
    channel.answers(() => RETRY);
    answerLate(SENT);
    await settle();
    expect([ends, queue.length, counts.sent]).toEqual([[], 1, 0]);
  });

  it.each([
    [
      'throws at once',
      () => {
        throw new Error('secret');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
  ] as const)('and %s is tried again, and what it threw is nowhere', async (_, answer) => {
    const { clock, channel, queue, add, lines } = queueOf();
    channel.answers(answer);
    add(of('a'));
    await clock.advanceAndSettle(SECOND_MS);
    expect([channel.tries.length, queue.lastProblem]).toEqual([2, 'the channel itself failed']);
    expect(lines.join('')).not.toContain('secret');
  });

  it('and throws or answers after it was removed changes nothing', async () => {
    const { clock, channel, queue, add, ends } = queueOf({ maxInFlight: 2 });
    let answerLate: (outcome: Outcome) => void = () => undefined;
    let throwLate: (error: Error) => void = () => undefined;
    channel.answers(({ letter }) =>
      letter.groupLabels['service'] === 'a'
        ? new Promise((resolve) => (answerLate = resolve))
        : new Promise((_resolve, reject) => (throwLate = reject)),
    );
    add(of('a'), of('b'));
    queue.close('it was removed');
    answerLate({ result: 'sent', thread: { root: '1' } });
    throwLate(new Error('secret'));
    await settle();
    add(of('c'));
    expect(endings(ends)).toEqual(['dropped a', 'dropped b', 'dropped c']);
    expect(ends.map(({ reason }) => reason)).toEqual(Array(3).fill('it was removed'));
    expect(clock.timers).toBe(0);
  });
});

describe('a state of all alerts', () => {
  it('that waits gives its place to a newer one, with its waits', async () => {
    const { clock, channel, add, ends, counts } = queueOf();
    channel.answers(() => RETRY);
    add(standing('one'));
    await clock.advanceAndSettle(500);
    add(standing('two'));
    add(standing('three'));
    await clock.advanceAndSettle(499);
    expect(services(channel)).toEqual(['one']);
    channel.answers(() => SENT);
    await clock.advanceAndSettle(1);
    expect([services(channel), endings(ends)]).toEqual([['one', 'three'], ['sent three']]);
    expect(counts).toMatchObject({ sent: 1, retried: 1, replaced: 2 });
  });

  it('that fails while a newer one waits is not tried again: the newer one is, after the wait', async () => {
    const { clock, channel, queue, add, ends, counts } = queueOf();
    let fail: (outcome: Outcome) => void = () => undefined;
    channel.answers(() => new Promise((resolve) => (fail = resolve)));
    add(standing('one'));
    add(standing('two'));
    fail(RETRY);
    channel.answers(() => SENT);
    await clock.advanceAndSettle(999);
    expect([services(channel), queue.length]).toEqual([['one'], 1]);
    await clock.advanceAndSettle(1);
    expect([services(channel), endings(ends)]).toEqual([['one', 'two'], ['sent two']]);
    expect(counts).toMatchObject({ sent: 1, retried: 1, replaced: 1 });
  });

  it('is one at a time, whatever comes and however the channel fails', async () => {
    const { clock, channel, queue, add, counts } = queueOf({ maxInFlight: 4 });
    channel.answers(() => new Promise((resolve) => clock.after(7 * SECOND_MS, () => resolve(RETRY))));
    for (let number = 1; number <= 300; number += 1) {
      add(standing(String(number)));
      expect(queue.length).toBeLessThanOrEqual(2);
      await clock.advanceAndSettle(4 * SECOND_MS);
    }
    expect(channel.mostUnderWay).toBe(1);
    // It is worth a try a minute, as anything else.
    expect(channel.tries.length).toBeLessThan(40);
    expect(counts.expired).toBe(0);
    channel.answers(() => SENT);
    await clock.advanceAndSettle(2 * MINUTE_MS);
    expect([services(channel).at(-1), queue.length]).toEqual(['300', 0]);
  });
});
