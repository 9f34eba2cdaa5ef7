import fc from 'fast-check';
import { Governor, MAX_FINGERPRINTS } from '../../../../kong-plugin/sentry/decide/governor';
import { NOTHING_HELD_BACK, withEvent, type HeldBack } from '../../../../kong-plugin/sentry/decide/held-back';
import type { GovernorSettings, Rate } from '../../../../kong-plugin/sentry/settings/sentry-settings';

const AMPLE: Rate = { burst: 1_000_000, perMinute: 1_000_000 };
const NOW_MS = Date.parse('2026-03-01T10:00:00Z');

function governorOf(settings: Partial<GovernorSettings> = {}): Governor {
  return new Governor({ issue: AMPLE, total: AMPLE, transactions: AMPLE, ...settings });
}

const traceId = (digit: string): string => digit.repeat(32);

describe('the governor', () => {
  it('lets the first events go at once, and the next that goes tells how many were held back, and since when', () => {
    const governor = governorOf({ issue: { burst: 2, perMinute: 6 } });
    const answers = [0, 1, 2, 3, 9_999, 10_001].map((ms) => governor.admitEvent('a', NOW_MS + ms));
    expect(answers).toEqual([
      NOTHING_HELD_BACK,
      NOTHING_HELD_BACK,
      undefined,
      undefined,
      undefined,
      { count: 3, sinceMs: NOW_MS + 2, traceIds: [] },
    ]);
    expect(governor.untold).toBe(0);
  });

  it('keeps the first five trace ids that are found of those that are held back, each once', () => {
    const governor = governorOf({ issue: { burst: 1, perMinute: 60 } });
    governor.admitEvent('a', NOW_MS);
    for (const digit of ['1', '1', '2', '3', '4', '5', '6', '7']) {
      expect(governor.admitEvent('a', NOW_MS)).toBeUndefined();
      governor.addTraceId('a', traceId(digit));
      expect(governor.wantsTraceId('a')).toBe(digit < '5');
    }
    expect(governor.admitEvent('a', NOW_MS + 1_000)?.traceIds).toEqual(
      ['1', '2', '3', '4', '5'].map(traceId),
    );
    expect(governor.wantsTraceId('never seen')).toBe(false);
  });

  it('does not ask for the trace ids of a storm', () => {
    const governor = governorOf({ issue: { burst: 1, perMinute: 60 } });
    governor.admitEvent('a', NOW_MS);
    const asked = Array.from({ length: 1_000 }, () => {
      governor.admitEvent('a', NOW_MS);
      return governor.wantsTraceId('a');
    });
    expect(asked.filter(Boolean)).toHaveLength(50);
  });

  it('holds a fingerprint back without touching another', () => {
    const governor = governorOf({ issue: { burst: 1, perMinute: 0 } });
    governor.admitEvent('a', NOW_MS);
    expect(governor.admitEvent('a', NOW_MS)).toBeUndefined();
    expect(governor.admitEvent('b', NOW_MS)).toEqual(NOTHING_HELD_BACK);
  });

  it('spends no token of a fingerprint where the bucket of all is empty', () => {
    const governor = governorOf({ issue: { burst: 1, perMinute: 0 }, total: { burst: 1, perMinute: 60 } });
    governor.admitEvent('a', NOW_MS);
    expect(governor.admitEvent('b', NOW_MS)).toBeUndefined();
    expect(governor.admitEvent('b', NOW_MS + 1_000)).toMatchObject({ count: 1 });
  });

  it('has transactions in a bucket of their own', () => {
    const governor = governorOf({
      total: { burst: 0, perMinute: 0 },
      transactions: { burst: 2, perMinute: 60 },
    });
    const answers = [0, 0, 0, 1_000].map((ms) => governor.admitTransaction(NOW_MS + ms));
    expect(answers).toEqual([true, true, false, true]);
    expect(governor.admitEvent('a', NOW_MS)).toBeUndefined();
  });

  it('forgets the fingerprint that did not come for the longest, and the next event tells of what it held back', () => {
    const governor = governorOf({ issue: { burst: 1, perMinute: 0 } });
    governor.admitEvent('oldest', NOW_MS);
    governor.admitEvent('oldest', NOW_MS);
    governor.admitEvent('used', NOW_MS);
    for (let index = 2; index < MAX_FINGERPRINTS; index++) governor.admitEvent(`${index}`, NOW_MS);
    expect(governor.admitEvent('used', NOW_MS)).toBeUndefined();
    // The one too many takes the place of `oldest`, then of `2`: `used` came after both.
    expect(governor.admitEvent('new', NOW_MS)).toEqual({ ...NOTHING_HELD_BACK, others: 1 });
    expect(governor.admitEvent('newer', NOW_MS)).toEqual(NOTHING_HELD_BACK);
    expect(governor.admitEvent('used', NOW_MS)).toBeUndefined();
    expect(governor.admitEvent('2', NOW_MS)).toEqual(NOTHING_HELD_BACK);
    expect(governor.untold).toBe(2);
  });

  it('tells of an event that did not go, and of what it carried, with the next of its fingerprint', () => {
    const governor = governorOf({ issue: { burst: 2, perMinute: 60 } });
    governor.admitEvent('a', NOW_MS);
    const lost = { ...withEvent(NOTHING_HELD_BACK, NOW_MS), traceIds: [traceId('1')] };
    governor.admitEvent('a', NOW_MS + 1);
    governor.admitEvent('a', NOW_MS + 2);
    governor.addTraceId('a', traceId('2'));
    governor.giveBack('a', lost);
    expect(governor.admitEvent('a', NOW_MS + 1_000)).toEqual({
      count: 2,
      sinceMs: NOW_MS,
      traceIds: [traceId('1'), traceId('2')],
    });
  });

  it('tells of what is given back for a fingerprint it no longer keeps with the next event of any', () => {
    const governor = governorOf();
    governor.giveBack('gone', { count: 3, sinceMs: NOW_MS, traceIds: [], others: 4 });
    expect(governor.admitEvent('a', NOW_MS)).toEqual({ ...NOTHING_HELD_BACK, others: 7 });
  });

  it('goes on after the clock was set back', () => {
    const governor = governorOf({ issue: { burst: 1, perMinute: 60 } });
    governor.admitEvent('a', NOW_MS);
    expect(governor.admitEvent('a', NOW_MS - 3_600_000)).toBeUndefined();
    expect(governor.admitEvent('a', NOW_MS - 3_600_000 + 1_000)).toMatchObject({ count: 1 });
  });
});

describe('whatever comes, and whenever', () => {
  const rate = fc.record({
    burst: fc.integer({ min: 0, max: 20 }),
    perMinute: fc.integer({ min: 0, max: 6_000 }),
  });
  const settings = fc.record({ issue: rate, total: rate, transactions: rate });
  const arrival = (leastMs: number): fc.Arbitrary<{ key: string; afterMs: number; isLost: boolean }> =>
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      afterMs: fc.oneof(fc.integer({ min: leastMs, max: 30 }), fc.integer({ min: leastMs, max: 20_000 })),
      isLost: fc.boolean(),
    });

  /** The most of these times that lie within one window, less what the rate allows in it. */
  function mostOver(times: readonly number[], { burst, perMinute }: Rate): number {
    let most = Number.NEGATIVE_INFINITY;
    times.forEach((from, first) =>
      times.slice(first).forEach((to, index) => {
        most = Math.max(most, index + 1 - burst - ((to - from) * perMinute) / 60_000);
      }),
    );
    return most;
  }

  it('no window holds more than the burst and the rate, of a fingerprint and of all, and no less than one of both lets', () => {
    fc.assert(
      fc.property(settings, fc.array(arrival(0), { maxLength: 150 }), (given, arrivals) => {
        const governor = new Governor(given);
        let nowMs = NOW_MS;
        const admitted: { key: string; atMs: number }[] = [];
        const transactions: number[] = [];
        for (const { key, afterMs } of arrivals) {
          nowMs += afterMs;
          if (governor.admitEvent(key, nowMs)) admitted.push({ key, atMs: nowMs });
          if (governor.admitTransaction(nowMs)) transactions.push(nowMs);
        }
        const times = (of?: string): number[] =>
          admitted.filter(({ key }) => of === undefined || key === of).map(({ atMs }) => atMs);
        for (const key of ['a', 'b', 'c']) expect(mostOver(times(key), given.issue)).toBeLessThan(1e-6);
        expect(mostOver(times(), given.total)).toBeLessThan(1e-6);
        expect(mostOver(transactions, given.transactions)).toBeLessThan(1e-6);
        expect(transactions.length).toBeGreaterThanOrEqual(
          Math.min(arrivals.length, given.transactions.burst),
        );
      }),
    );
  });

  it('what goes and what is held back is what came, and every one held back is told of once', () => {
    fc.assert(
      fc.property(settings, fc.array(arrival(-20_000), { maxLength: 200 }), (given, arrivals) => {
        const governor = new Governor(given);
        let nowMs = NOW_MS;
        let admitted = 0;
        let heldBack = 0;
        let told = 0;
        let lost = 0;
        for (const { key, afterMs, isLost } of arrivals) {
          nowMs += afterMs;
          const carried: HeldBack | undefined = governor.admitEvent(key, nowMs);
          if (!carried) heldBack += 1;
          else if (isLost) {
            lost += 1;
            governor.giveBack(key, withEvent(carried, nowMs));
          } else {
            admitted += 1;
            told += carried.count + (carried.others ?? 0);
          }
        }
        expect(admitted + heldBack + lost).toBe(arrivals.length);
        expect(told + governor.untold).toBe(heldBack + lost);
      }),
    );
  });

  it('counts stay exact where more fingerprints come than are kept', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: MAX_FINGERPRINTS * 1.5 }), { minLength: 4_000, maxLength: 4_000 }),
        (keys) => {
          const governor = governorOf({
            issue: { burst: 1, perMinute: 0 },
            total: { burst: 500, perMinute: 6_000 },
          });
          let told = 0;
          let heldBack = 0;
          keys.forEach((key, index) => {
            const carried = governor.admitEvent(`${key}`, NOW_MS + index);
            if (carried) told += carried.count + (carried.others ?? 0);
            else heldBack += 1;
          });
          expect(told + governor.untold).toBe(heldBack);
          expect(told).toBeGreaterThan(0);
        },
      ),
      { numRuns: 10 },
    );
  });
});
