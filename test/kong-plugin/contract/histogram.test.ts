import fc from 'fast-check';
import type { Histogram } from '../../../kong-plugin/contract/histogram';
import {
  cellOf,
  countAtMost,
  emptyHistogram,
  isCell,
  MAX_CELL_MS,
  mergeHistogram,
  nearestRank,
  quantileMs,
  record,
} from '../../../kong-plugin/contract/histogram';

const durations = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 2_000_000_000 })),
);

function histogramOf(values: readonly number[]): Histogram {
  const histogram = emptyHistogram();
  for (const value of values) record(histogram, value);
  return histogram;
}

function merged(...parts: Histogram[]): Histogram {
  const target = emptyHistogram();
  for (const part of parts) mergeHistogram(target, part);
  return target;
}

describe('the lossless histogram', () => {
  it('keeps every millisecond below two seconds', () => {
    for (let ms = 0; ms < 2_000; ms += 1) expect(cellOf(ms)).toBe(ms);
  });

  it('keeps three significant digits above, never below the true value', () => {
    expect([2_000, 2_001, 9_999, 10_001, 123_456].map(cellOf)).toEqual([
      2_000, 2_010, 10_000, 10_100, 124_000,
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 2_000, max: MAX_CELL_MS }), (ms) => {
        const cell = cellOf(ms);
        expect(cell).toBeGreaterThanOrEqual(ms);
        expect(cell - ms).toBeLessThan(ms / 100);
        expect(isCell(cell)).toBe(true);
      }),
    );
  });

  it('answers "at most" exactly for the bounds of the metric', () => {
    const boundsMs = [50, 100, 250, 500, 1_000, 2_500, 5_000, 7_500, 10_000];
    fc.assert(
      fc.property(durations, fc.constantFrom(...boundsMs), (values, boundMs) => {
        expect(countAtMost(histogramOf(values), boundMs)).toBe(
          values.filter((value) => value <= boundMs).length,
        );
      }),
    );
  });

  it('merges in any order and grouping, and replaying equals merging', () => {
    fc.assert(
      fc.property(durations, durations, durations, (a, b, c) => {
        const [left, middle, right] = [histogramOf(a), histogramOf(b), histogramOf(c)];
        const expected = histogramOf([...a, ...b, ...c]);
        expect(merged(left, middle, right)).toEqual(expected);
        expect(merged(right, left, middle)).toEqual(expected);
        expect(merged(left, merged(middle, right))).toEqual(expected);
      }),
    );
  });

  it('finds the rank of every quantile of two to four digits as whole numbers give it', () => {
    const wrong: string[] = [];
    for (let tenThousandths = 1; tenThousandths <= 10_000; tenThousandths += 1)
      for (let count = 1; count <= 250; count += 1) {
        const rank = Math.floor((tenThousandths * count + 9_999) / 10_000);
        if (nearestRank(tenThousandths / 10_000, count) !== rank) wrong.push(`${tenThousandths} of ${count}`);
      }
    expect(wrong).toEqual([]);
  });

  it('finds the rank among millions as well', () => {
    for (const [quantile, count, rank] of [
      [0.9999, 1_000_000_000, 999_900_000],
      [0.9999, 1_000_000_001, 999_900_001],
      [0.07, 100_000_000, 7_000_000],
      [0.07, 99_999_999, 7_000_000],
      [0, 10, 1],
      [1, 10, 10],
    ] as const)
      expect([quantile, count, nearestRank(quantile, count)]).toEqual([quantile, count, rank]);
  });

  it('gives the 55th of a hundred for 0.55, and not the one after it', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    for (const percent of hundred) expect(quantileMs(histogramOf(hundred), percent / 100)).toBe(percent);
  });

  it('gives the nearest-rank quantile, and none for no observation', () => {
    expect(quantileMs(emptyHistogram(), 0.95)).toBeUndefined();
    const oneToHundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(quantileMs(histogramOf(oneToHundred), 0.95)).toBe(95);
    expect(quantileMs(histogramOf([7]), 0.95)).toBe(7);
  });
});
