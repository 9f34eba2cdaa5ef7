import fc from 'fast-check';
import { RateLimit } from '../../../sidecar/outbox/rate-limit';

const MINUTE_MS = 60_000;

/** Whole and fractional, as a monotonic clock gives them. */
const pause = fc.oneof(
  fc.constant(0),
  fc.nat(50),
  fc.nat(20_000),
  fc.double({ min: 0, max: 5_000, noNaN: true }),
);
const rate = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 6_000 }));

/** The most of these times in a minute, of which the end is not part. */
function mostInAMinute(times: readonly number[]): number {
  let most = 0;
  let from = 0;
  times.forEach((timeMs, index) => {
    while (timeMs - (times[from] ?? 0) >= MINUTE_MS) from += 1;
    most = Math.max(most, index - from + 1);
  });
  return most;
}

describe('the rate of a channel', () => {
  it('lets no more than its number begin in any minute, whenever and however often it is asked', () => {
    fc.assert(
      fc.property(
        rate,
        fc.array(fc.tuple(pause, fc.integer({ min: 1, max: 300 })), { maxLength: 150 }),
        (max, asks) => {
          const limit = new RateLimit(max, 0);
          const begun: number[] = [];
          let nowMs = 0;
          for (const [pauseMs, often] of asks) {
            nowMs += pauseMs;
            for (let ask = 0; ask < often; ask += 1) if (limit.take(nowMs)) begun.push(nowMs);
          }
          expect(mostInAMinute(begun)).toBeLessThanOrEqual(max);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('lets about its whole number begin in a minute in which there is always something to begin', () => {
    fc.assert(
      fc.property(rate, (max) => {
        const limit = new RateLimit(max, 0);
        let begun = 0;
        for (let nowMs = 0; nowMs < MINUTE_MS; nowMs += limit.waitMs(nowMs))
          while (limit.take(nowMs)) begun += 1;
        expect(begun).toBeGreaterThanOrEqual(Math.max(1, Math.floor(max * 0.98) - 1));
        expect(begun).toBeLessThanOrEqual(max);
      }),
      { numRuns: 100 },
    );
  });

  it('never makes anybody wait in vain: after the wait that it names there is a turn', () => {
    fc.assert(
      fc.property(rate, fc.array(fc.tuple(pause, fc.nat(300)), { maxLength: 40 }), (max, asks) => {
        const limit = new RateLimit(max, 0);
        let nowMs = 0;
        for (const [pauseMs, often] of asks) {
          nowMs += pauseMs;
          for (let ask = 0; ask < often; ask += 1) limit.take(nowMs);
          const waitMs = limit.waitMs(nowMs);
          // Beside the sixth that may begin at once, five sixths come evenly.
          expect(waitMs).toBeLessThanOrEqual((1.2 * MINUTE_MS) / max + 1);
          expect(Number.isInteger(waitMs)).toBe(true);
          nowMs += waitMs;
          expect(limit.take(nowMs)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('lets a sixth of its number begin at once', () => {
    const at = (max: number): number => {
      const limit = new RateLimit(max, 5);
      let begun = 0;
      while (limit.take(5)) begun += 1;
      return begun;
    };
    expect([1, 6, 11, 12, 60, 6_000].map(at)).toEqual([1, 1, 1, 2, 10, 1_000]);
  });

  it('holds from a reload on, and what was saved up before it does not go beyond the new one', () => {
    const limit = new RateLimit(6_000, 0);
    limit.reconfigure(1, 0);
    expect([limit.take(0), limit.take(0), limit.take(59_999), limit.take(60_000)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    limit.reconfigure(60, 60_000);
    expect([limit.take(61_199), limit.take(61_200), limit.take(61_200)]).toEqual([false, true, false]);
  });
});
