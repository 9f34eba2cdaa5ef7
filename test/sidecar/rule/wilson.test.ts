import fc from 'fast-check';
import { wilsonLowerBound, wilsonUpperBound } from '../../../sidecar/rule/wilson';

/** Two-sided 95 %. */
const CONFIDENCE = 0.975;

describe('the bounds of a share by Wilson', () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
    [29, 29, 0.883, 1],
  ])('are the published ones of %d of %d: %d to %d', (successes, n, lower, upper) => {
    expect(wilsonLowerBound(successes, n, CONFIDENCE)).toBeCloseTo(lower, 4);
    expect(wilsonUpperBound(successes, n, CONFIDENCE)).toBeCloseTo(upper, 4);
  });

  it('are everything where nothing was seen', () => {
    expect([wilsonLowerBound(0, 0, 0.95), wilsonUpperBound(0, 0, 0.95)]).toEqual([0, 1]);
  });

  it('are the share itself with a confidence of one half', () => {
    expect(wilsonLowerBound(3, 10, 0.5)).toBe(0.3);
    expect(wilsonUpperBound(3, 10, 0.5)).toBe(0.3);
  });

  it('hold the share, mirror each other, and are further away with more confidence and fewer samples', () => {
    const sample = fc
      .integer({ min: 1, max: 100_000 })
      .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
    fc.assert(
      fc.property(sample, fc.double({ min: 0.5, max: 0.9999, noNaN: true }), ([successes, n], confidence) => {
        const lower = wilsonLowerBound(successes, n, confidence);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(lower).toBeLessThanOrEqual(successes / n + 1e-12);
        expect(wilsonUpperBound(n - successes, n, confidence)).toBeCloseTo(1 - lower, 12);
        expect(wilsonLowerBound(successes, n, (1 + confidence) / 2)).toBeLessThanOrEqual(lower + 1e-12);
        expect(wilsonLowerBound(2 * successes, 2 * n, confidence)).toBeGreaterThanOrEqual(lower - 1e-12);
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});
