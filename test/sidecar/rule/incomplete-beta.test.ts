import fc from 'fast-check';
import { binomialUpperTail, incompleteBeta } from '../../../sidecar/rule/incomplete-beta';
import { binomialSum } from '../../support/binomial-sum';

describe('the incomplete beta function', () => {
  const side = fc.double({ min: 1, max: 1_000, noNaN: true });
  const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });

  it('has a closed form where a or b is 1', () => {
    fc.assert(
      fc.property(share, side, (x, a) => {
        expect(incompleteBeta(x, a, 1)).toBeCloseTo(x ** a, 12);
        expect(incompleteBeta(x, 1, a)).toBeCloseTo(1 - (1 - x) ** a, 12);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('is mirrored by its complement, and rises', () => {
    fc.assert(
      fc.property(share, side, side, (x, a, b) => {
        const value = incompleteBeta(x, a, b);
        expect(value + incompleteBeta(1 - x, b, a)).toBeCloseTo(1, 11);
        expect(incompleteBeta(x / 2, a, b)).toBeLessThanOrEqual(value + 1e-12);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('is 0 and 1 at the ends', () => {
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]);
  });
});

describe('the upper tail of the binomial distribution', () => {
  it('is the sum of its terms', () => {
    const draw = fc
      .integer({ min: 1, max: 120 })
      .chain((n) => fc.tuple(fc.integer({ min: 0, max: n + 1 }), fc.constant(n)));
    fc.assert(
      fc.property(draw, fc.double({ min: 0.001, max: 0.999, noNaN: true }), ([least, n], share) => {
        expect(binomialUpperTail(least, n, share)).toBeCloseTo(binomialSum(least, n, share), 11);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  // Computed with 50 digits, or where that takes too long with another implementation.
  it.each([
    [950, 1_000, 0.95, 0.5375290408014252],
    [940, 1_000, 0.95, 0.9329374813666912],
    [94_800, 100_000, 0.95, 0.9980933448096565],
    [949_700, 1_000_000, 0.95, 0.9159247440517355],
    [949_988_000, 1_000_000_000, 0.95, 0.9591732246382375],
    [989_995_000, 1_000_000_000, 0.99, 0.9439905763161337],
  ])('of %d or more of %d at %d is %d', (least, n, share, tail) => {
    expect(binomialUpperTail(least, n, share)).toBeCloseTo(tail, 11);
  });
});
