import fc from 'fast-check';
import {
  cellOf,
  countAtMost,
  emptyHistogram,
  quantileMs,
  record,
} from '../../../kong-plugin/contract/histogram';
import { readTimes } from '../../../sidecar/rule/read-times';

describe('reading the times of a histogram', () => {
  it('finds nothing in an empty one', () => {
    expect(readTimes(emptyHistogram(), 0.95, [500])).toEqual({ quantileMs: undefined, atMost: [0] });
  });

  it('says what the histogram itself says, whatever was read before', () => {
    const short = fc.integer({ min: 0, max: 2_500 });
    const any = fc.integer({ min: 0, max: 2_000_000_000 });
    const times = fc.array(fc.oneof(short, any), { maxLength: 300 });
    const bounds = fc.array(fc.oneof(short, any, fc.constant(31.5)), { maxLength: 4 });
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), bounds, (all, quantile, boundsMs) => {
        const histogram = emptyHistogram();
        for (const ms of all) record(histogram, ms);
        const hits = [...boundsMs, ...all.slice(0, 3).map(cellOf)];
        expect(readTimes(histogram, quantile, hits)).toEqual({
          quantileMs: quantileMs(histogram, quantile),
          atMost: hits.map((boundMs) => countAtMost(histogram, boundMs)),
        });
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('finds the 55th of a hundred for 0.55, and not the one after it', () => {
    const histogram = emptyHistogram();
    for (let ms = 1; ms <= 100; ms += 1) record(histogram, ms);
    for (let percent = 1; percent <= 100; percent += 1)
      expect(readTimes(histogram, percent / 100, []).quantileMs).toBe(percent);
  });

  it('has room for every cell that there is', () => {
    const histogram = emptyHistogram();
    for (let ms = 0; ms < 2_000; ms += 1) record(histogram, ms);
    for (let step = 10; step <= 1_000_000; step *= 10)
      for (let digits = 100; digits <= 1_000; digits += 1) record(histogram, digits * step);
    for (const quantile of [0, 0.1, 0.5, 0.9, 1])
      expect(readTimes(histogram, quantile, []).quantileMs).toBe(quantileMs(histogram, quantile));
  });
});
