import fc from 'fast-check';
import { isQuantileOver, lowerOrderStatistic } from '../../../sidecar/rule/order-statistic';
import { binomialSum } from '../../support/binomial-sum';

/** CMH-17-1G, table 8.5.12: the rank that bounds the 10th percentile from below at 95 %, and the smallest n that has it. */
const TENTH_PERCENTILE: readonly (readonly [n: number, rank: number])[] = [
  ...([
    [29, 1],
    [46, 2],
    [61, 3],
    [76, 4],
    [89, 5],
    [103, 6],
    [116, 7],
    [129, 8],
    [142, 9],
    [154, 10],
  ] as const),
  ...([
    [167, 11],
    [179, 12],
    [191, 13],
    [203, 14],
    [215, 15],
    [227, 16],
    [239, 17],
    [251, 18],
    [263, 19],
  ] as const),
  ...([
    [275, 20],
    [504, 40],
    [999, 85],
    [2_015, 180],
    [3_066, 280],
    [5_044, 470],
    [10_499, 1_000],
  ] as const),
];

/** CMH-17-1G, table 8.5.13: the same of the 1st percentile. */
const FIRST_PERCENTILE: readonly (readonly [n: number, rank: number])[] = [
  ...([
    [299, 1],
    [473, 2],
    [628, 3],
    [773, 4],
    [913, 5],
    [1_049, 6],
    [1_182, 7],
    [1_312, 8],
  ] as const),
  ...([
    [2_784, 20],
    [5_088, 40],
    [6_211, 50],
    [7_322, 60],
    [11_691, 100],
  ] as const),
];

describe('the order statistic that bounds a quantile from below', () => {
  it.each(TENTH_PERCENTILE)('of %d samples has the published rank %d for the 10th percentile', (n, rank) => {
    expect(lowerOrderStatistic(n, 0.1, 0.95)).toBe(rank);
  });

  it.each(FIRST_PERCENTILE)('of %d samples has the published rank %d for the 1st percentile', (n, rank) => {
    expect(lowerOrderStatistic(n, 0.01, 0.95)).toBe(rank);
  });

  it('is not there for the 10th percentile of 28 samples, nor for the 1st of 298', () => {
    expect(lowerOrderStatistic(28, 0.1, 0.95)).toBe(0);
    expect(lowerOrderStatistic(298, 0.01, 0.95)).toBe(0);
  });

  // The two-sided 95 % limits of the median that textbooks have; the upper one is the lower one counted from the other end.
  it.each([
    [6, 1],
    [9, 2],
    [10, 2],
    [12, 3],
    [15, 4],
    [17, 5],
    [20, 6],
  ])('of %d samples has the published rank %d for the median', (n, rank) => {
    expect(lowerOrderStatistic(n, 0.5, 0.975)).toBe(rank);
  });

  it('takes a probability that is exactly the confidence', () => {
    expect(lowerOrderStatistic(2, 0.5, 0.75)).toBe(1);
    expect(lowerOrderStatistic(1, 0.95, 0.95)).toBe(1);
  });

  it('is the largest rank whose sum of binomial terms is enough, and says when a quantile is over a threshold', () => {
    const n = fc.integer({ min: 1, max: 80 });
    const quantile = fc.double({ min: 0.01, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(n, quantile, fc.double({ min: 0.5, max: 0.999, noNaN: true }), (samples, q, confidence) => {
        const rank = lowerOrderStatistic(samples, q, confidence);
        if (rank > 0) expect(binomialSum(rank, samples, q)).toBeGreaterThan(confidence - 1e-10);
        if (rank < samples) expect(binomialSum(rank + 1, samples, q)).toBeLessThan(confidence + 1e-10);
        for (let atMost = 0; atMost <= samples; atMost += 1)
          expect([atMost, isQuantileOver(atMost, samples, q, confidence)]).toEqual([atMost, rank > atMost]);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('agrees with the question whether a quantile is over a threshold for many samples too', () => {
    const n = fc.integer({ min: 1_000, max: 100_000_000 });
    fc.assert(
      fc.property(n, fc.constantFrom(0.5, 0.9, 0.95, 0.99, 0.999), (samples, q) => {
        const rank = lowerOrderStatistic(samples, q, 0.95);
        expect(rank).toBeLessThan(q * samples);
        expect(isQuantileOver(rank - 1, samples, q, 0.95)).toBe(true);
        expect(isQuantileOver(rank, samples, q, 0.95)).toBe(false);
      }),
      { numRuns: 30, seed: 1 },
    );
  });
});
