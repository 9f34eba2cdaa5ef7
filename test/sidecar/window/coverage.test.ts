import fc from 'fast-check';
import type { Batch, ProducerStatistics } from '../../../kong-plugin/contract/batch';
import { SILENT_AFTER_MS } from '../../../kong-plugin/contract/heartbeat';
import { deliveryOf, GONE_AFTER_MS, KnownTime, type Delivery } from '../../../sidecar/window/coverage';
import { sampleDelta } from '../../support/sample-delta';

const FIRST = 1_000_000;

describe('the time that is known', () => {
  it('begins at the very first start, and what was before is not lost', () => {
    expect(new KnownTime(FIRST).coverage(1_000, 0, FIRST + 250)).toEqual({ covered: 0.25, lost: 0 });
    expect(new KnownTime(FIRST).coverage(1_000, 500, FIRST + 250)).toEqual({ covered: 0, lost: 0 });
    expect(new KnownTime(FIRST).coverage(1_000, 0, FIRST + 1_000)).toEqual({ covered: 1, lost: 0 });
  });

  it.each([
    ['wholly in the window', 0, { covered: 0.8, lost: 0.2 }],
    ['partly left by it', 600, { covered: 0.9, lost: 0.1 }],
    ['left by it', 700, { covered: 1, lost: 0 }],
  ])('lacks a gap that is %s', (_, laterMs, coverage) => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 1_500, FIRST + 1_700, []);
    expect(known.coverage(1_000, 0, FIRST + 2_000 + laterMs)).toEqual(coverage);
  });

  it('lacks of a window that has ended what was lost then', () => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 1_500, FIRST + 1_700, []);
    expect(known.coverage(1_000, 2_000, FIRST + 4_000).lost).toBe(0.2);
    expect(known.coverage(1_000, 0, FIRST + 4_000).lost).toBe(0);
  });

  it('counts what two gaps share once', () => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 100, FIRST + 400, []);
    known.openGap(FIRST + 300, FIRST + 500, []);
    known.openGap(FIRST + 200, FIRST + 300, []);
    expect(known.coverage(1_000, 0, FIRST + 1_000)).toEqual({ covered: 0.6, lost: 0.4 });
  });

  it('is whole again once every producer that was alive has delivered, and not before', () => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 100, FIRST + 400, ['a', 'b']);
    known.delivered('a');
    known.delivered('a');
    known.delivered('c');
    expect(known.coverage(1_000, 0, FIRST + 1_000).lost).toBe(0.3);
    known.delivered('b');
    expect(known.coverage(1_000, 0, FIRST + 1_000)).toEqual({ covered: 1, lost: 0 });
  });

  it('stays lost where no producer is known', () => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 100, FIRST + 400, []);
    known.delivered('a');
    expect(known.coverage(1_000, 0, FIRST + 1_000).lost).toBe(0.3);
  });

  it('has no gap where the clock was set back over one', () => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 400, FIRST + 100, []);
    expect(known.toRecord().gaps).toEqual([]);
  });

  it('forgets what lies ahead of a clock that was set back, so that it is not lost when that time comes', () => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 1_000, FIRST + 3_000, []);
    known.openGap(FIRST + 5_000, FIRST + 6_000, []);
    known.advance(FIRST + 2_000, 10_000);
    expect(known.coverage(10_000, 0, FIRST + 10_000).lost).toBe(0.1);
    known.advance(FIRST - 500, 10_000);
    expect(known.coverage(1_000, 0, FIRST + 500)).toEqual({ covered: 1, lost: 0 });
  });

  it('forgets a gap that no window reaches', () => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 100, FIRST + 400, ['a']);
    known.advance(FIRST + 1_399, 1_000);
    expect(known.toRecord().gaps).toHaveLength(1);
    known.advance(FIRST + 1_400, 1_000);
    expect(known.toRecord().gaps).toEqual([]);
  });

  it('knows of every ms that it is covered, lost or not of its time, each once', () => {
    const gap = fc.tuple(fc.integer({ min: -50, max: 150 }), fc.integer({ min: 0, max: 60 }));
    fc.assert(
      fc.property(
        fc.array(gap, { maxLength: 4 }),
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 100 }),
        (gaps, windowMs, agoMs, sinceMs) => {
          const known = new KnownTime(1_000);
          for (const [at, length] of gaps) known.openGap(1_000 + at, 1_000 + at + length, []);
          const { covered, lost } = known.coverage(windowMs, agoMs, 1_150, 1_000 + sinceMs);
          const endMs = 1_150 - agoMs;
          let [coveredMs, lostMs] = [0, 0];
          for (let ms = endMs - windowMs; ms < endMs; ms += 1) {
            if (ms < 1_000 + sinceMs) continue;
            if (gaps.some(([at, length]) => ms >= 1_000 + at && ms < 1_000 + at + length)) lostMs += 1;
            else coveredMs += 1;
          }
          expect({ covered, lost }).toEqual({ covered: coveredMs / windowMs, lost: lostMs / windowMs });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a batch says that its producer has delivered', () => {
  const SKEW = 5_000;
  const batch = (changes: Partial<Batch>): Batch => ({
    producer: 'a',
    sequence: 1,
    intervals: [
      { startMs: 10_000, durationMs: 1_000, deltas: [sampleDelta({}, [1, 2])] },
      { startMs: 11_000, durationMs: 1_000, deltas: [sampleDelta({}, [undefined])] },
    ],
    statistics: {} as ProducerStatistics,
    process: { pendingRequests: 300, eventLoopLagMs: 0, residentMemoryBytes: 0 },
    isGoodbye: false,
    ...changes,
  });

  it.each<[string, Partial<Batch>, number | undefined, boolean]>([
    ['all before its last interval, by this clock, whatever waits in the current second', {}, 16_000, false],
    ['nothing of a time, with a heartbeat', { intervals: [] }, undefined, true],
    ['nothing, where it is dead and another one delivers for it', { process: null }, undefined, false],
    ['everything, with its goodbye', { process: null, isGoodbye: true, intervals: [] }, Infinity, false],
  ])('%s', (_, changes, beforeMs, isHeartbeat) => {
    const delivery = deliveryOf(batch(changes), 12_500, 12_500 + SKEW);
    expect(delivery).toEqual({ producer: 'a', beforeMs, isHeartbeat });
  });
});

const from = (beforeMs: number | undefined, producer = 'a'): Delivery => ({
  producer,
  beforeMs,
  isHeartbeat: false,
});
const heartbeat: Delivery = { producer: 'a', beforeMs: undefined, isHeartbeat: true };
const GOODBYE = Infinity;

describe('a gap in which everybody was away', () => {
  function withGap(): KnownTime {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST + 100, FIRST + 400, ['a']);
    return known;
  }
  const lost = (known: KnownTime): number => known.coverage(1_000, 0, FIRST + 1_000).lost;

  it('is filled by a batch from after it, and not by one from just before its end', () => {
    const known = withGap();
    known.received(from(FIRST + 399), FIRST + 500);
    expect(lost(known)).toBe(0.3);
    known.received(from(FIRST + 400, 'b'), FIRST + 600);
    expect(lost(known)).toBe(0.3);
    known.received(from(FIRST + 400), FIRST + 700);
    expect(lost(known)).toBe(0);
  });

  it('is not filled by the first heartbeat, which may have been sealed in it, but by the next', () => {
    const known = withGap();
    known.received(heartbeat, FIRST + 500);
    expect(lost(known)).toBe(0.3);
    known.received(heartbeat, FIRST + 600);
    expect(lost(known)).toBe(0);
  });

  it('is filled by a goodbye', () => {
    const known = withGap();
    known.received(from(GOODBYE), FIRST + 500);
    expect(lost(known)).toBe(0);
  });

  it('does not wait for a producer that is gone for good, counted from when it could be heard again', () => {
    const known = withGap();
    const startMs = FIRST + 400;
    known.advance(startMs, 10 * GONE_AFTER_MS);
    known.advance(startMs + GONE_AFTER_MS, 10 * GONE_AFTER_MS);
    expect(lost(known)).toBe(0.3);
    known.advance(startMs + GONE_AFTER_MS + 1, 10 * GONE_AFTER_MS);
    expect(lost(known)).toBe(0);
  });
});

describe('a producer that is silent', () => {
  const LONGEST = 100 * GONE_AFTER_MS;
  const SINCE = FIRST + 60_000;
  function afterBatch(): KnownTime {
    const known = new KnownTime(FIRST);
    known.received(from(SINCE - 1_000), SINCE);
    return known;
  }
  const whole = (known: KnownTime, nowMs: number, windowMs = 60_000): number =>
    known.wholeShare(nowMs - windowMs, nowMs);

  it('leaves a silence from its last batch on that grows, once two heartbeats did not come', () => {
    const known = afterBatch();
    known.advance(SINCE + SILENT_AFTER_MS, LONGEST);
    expect(whole(known, SINCE + SILENT_AFTER_MS)).toBe(1);
    known.advance(SINCE + 30_000, LONGEST);
    expect(whole(known, SINCE + 30_000)).toBe(0.5);
    known.advance(SINCE + 60_000, LONGEST);
    expect(whole(known, SINCE + 60_000)).toBe(0);
  });

  it('takes nothing from what other rules see, which have the requests of others', () => {
    const known = afterBatch();
    known.advance(SINCE + 60_000, LONGEST);
    expect(known.coverage(60_000, 0, SINCE + 60_000)).toEqual({ covered: 1, lost: 0 });
  });

  it('has a silence for as long as its backlog comes, and none once a batch is from after it', () => {
    const known = afterBatch();
    known.advance(SINCE + 60_000, LONGEST);
    known.received(from(SINCE + 1_000), SINCE + 61_000);
    known.received(from(SINCE + 59_000), SINCE + 62_000);
    known.advance(SINCE + 65_000, LONGEST);
    expect(whole(known, SINCE + 60_000)).toBe(0);
    known.received(from(SINCE + 60_000), SINCE + 66_000);
    expect(whole(known, SINCE + 66_000)).toBe(1);
  });

  it('has the same silence where it falls silent again with more to deliver', () => {
    const known = afterBatch();
    known.advance(SINCE + 60_000, LONGEST);
    known.received(from(SINCE + 1_000), SINCE + 61_000);
    known.advance(SINCE + 120_000, LONGEST);
    known.received(from(SINCE + 100_000), SINCE + 121_000);
    expect(whole(known, SINCE + 120_000, 120_000)).toBe(0);
  });

  it('is not missed after its goodbye', () => {
    const known = afterBatch();
    known.received(from(GOODBYE), SINCE + 1_000);
    known.advance(SINCE + 60_000, LONGEST);
    expect(whole(known, SINCE + 60_000)).toBe(1);
  });

  it('is gone for good in the end, and nothing is missing any more', () => {
    const known = afterBatch();
    known.advance(SINCE + GONE_AFTER_MS, LONGEST);
    expect(whole(known, SINCE + GONE_AFTER_MS)).toBe(0);
    known.advance(SINCE + GONE_AFTER_MS + 1, LONGEST);
    expect(whole(known, SINCE + GONE_AFTER_MS + 1, GONE_AFTER_MS)).toBe(1);
    expect(known.toRecord().gaps).toEqual([]);
  });

  it('is not missed where it was awaited and is said to have delivered all', () => {
    const known = new KnownTime(FIRST);
    known.openGap(FIRST, SINCE, ['a']);
    known.advance(SINCE, LONGEST);
    known.delivered('a');
    known.advance(SINCE + 60_000, LONGEST);
    expect(whole(known, SINCE + 60_000)).toBe(1);
  });

  it('has a silence at once, and is not gone, while its batches cannot be made durable', () => {
    const known = afterBatch();
    let nowMs = SINCE;
    for (; nowMs <= SINCE + 2 * GONE_AFTER_MS; nowMs += 10_000) {
      known.refused('a', nowMs);
      known.advance(nowMs + 5_000, LONGEST);
      expect(whole(known, nowMs + 5_000, nowMs + 5_000 - SINCE)).toBe(0);
    }
    known.received(from(SINCE), nowMs);
    expect(known.toRecord().gaps).toHaveLength(1);
    known.received(from(nowMs), nowMs + 1_000);
    expect(known.toRecord().gaps).toEqual([]);
  });

  it('is still silent after a restart', () => {
    const known = afterBatch();
    known.advance(SINCE + 60_000, LONGEST);
    const later = new KnownTime(SINCE + 60_000);
    later.restore(known.toRecord(), -1_000);
    expect(later.toRecord()).toEqual({
      firstMs: FIRST - 1_000,
      gaps: [{ fromMs: SINCE - 1_000, toMs: SINCE + 59_000, awaited: ['a'], isSilence: true }],
    });
    later.advance(SINCE + 60_000, LONGEST);
    later.received(from(SINCE + 59_000), SINCE + 61_000);
    expect(later.toRecord().gaps).toEqual([]);
  });

  it('is forgotten where no window reaches its silence', () => {
    const known = afterBatch();
    known.advance(SINCE + 60_000, LONGEST);
    known.received(from(SINCE), SINCE + 60_001);
    known.advance(SINCE + 70_000, 10_000);
    expect(known.toRecord().gaps).toEqual([]);
  });
});
