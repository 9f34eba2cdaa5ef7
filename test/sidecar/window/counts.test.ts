import fc from 'fast-check';
import { atMost, countsOf, rebound, SAMPLES } from '../../../sidecar/window/counts';
import { SlotColumns } from '../../../sidecar/window/slot-columns';
import { sampleDelta } from '../../support/sample-delta';

const TIMES = [50, 100, 101, 399, 400, 401, 2_500];

describe('counts', () => {
  it('tell how many samples took at most a bound, itself included', () => {
    const counts = countsOf(sampleDelta({}, TIMES), [100, 400]);
    expect([100, 400].map((boundMs) => atMost(counts, [100, 400], boundMs))).toEqual([2, 5]);
  });

  it('refuse a bound that they were not counted by', () => {
    expect(() => atMost(countsOf(sampleDelta({}, TIMES), [100]), [100], 99)).toThrow(
      'no rule has named the bound 99 ms',
    );
  });

  it('know by other bounds what they knew by the same, and by a new one never make a time longer than it was', () => {
    const bounds = fc.uniqueArray(fc.integer({ min: 1, max: 3_000 }), { maxLength: 5 });
    const sorted = bounds.map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 })), sorted, sorted, (times, from, to) => {
        const delta = sampleDelta({}, times);
        const changed = rebound(countsOf(delta, from), from, to);
        expect(changed.slice(0, SAMPLES + 1)).toEqual(countsOf(delta, to).slice(0, SAMPLES + 1));
        for (const boundMs of to) {
          const truth = times.filter((ms) => (ms < 2_000 ? ms : Math.ceil(ms / 10) * 10) <= boundMs).length;
          const told = atMost(changed, to, boundMs);
          if (from.includes(boundMs)) expect(told).toBe(truth);
          else expect(told).toBeGreaterThanOrEqual(truth);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('columns of slots', () => {
  it('give back what was added, whatever its size, until it is cleared', () => {
    const slot = fc.integer({ min: -300, max: 900 });
    const counts = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 40 })), {
      minLength: 3,
      maxLength: 3,
    });
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ add: fc.tuple(slot, counts) }) },
      { weight: 1, arbitrary: fc.record({ clear: slot }) },
      { weight: 1, arbitrary: fc.record({ clearBefore: slot }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const columns = new SlotColumns();
        const plain = new Map<number, number[]>();
        for (const one of steps) {
          if ('add' in one) {
            const [at, added] = one.add;
            columns.add(at, added);
            plain.set(
              at,
              added.map((count, index) => count + (plain.get(at)?.[index] ?? 0)),
            );
          } else if ('clear' in one) {
            columns.clear(one.clear);
            plain.delete(one.clear);
          } else {
            columns.clearBefore(one.clearBefore);
            for (const at of [...plain.keys()]) if (at < one.clearBefore) plain.delete(at);
          }
        }
        for (let at = -300; at <= 900; at += 1) {
          const sum = [0, 0, 0];
          columns.addTo(sum, at, 1);
          if (sum.some((count) => count !== 0) || plain.has(at))
            expect(sum).toEqual(plain.get(at) ?? [0, 0, 0]);
        }
      }),
      { numRuns: 100 },
    );
  });
});
