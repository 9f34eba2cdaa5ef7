// The regularised incomplete beta function I_x(a, b), for a and b of at least 1, and with it a tail of the binomial distribution.
// The continued fraction is DLMF 8.17.22 (https://dlmf.nist.gov/8.17#v), by Lentz's method as modified by Thompson and Barnett
// (J. Comput. Phys. 64 (1986) 490). What stands before it is written with deviances, as C. Loader does for binomial
// probabilities ("Fast and accurate computation of binomial probabilities", 2000): differences of log gammas would lose all digits.
// Right to some 13 digits, up to a + b of 10^9. The fraction needs no more than some sqrt(a + b) steps.

const ENOUGH = 1e-15;
const TINY = 1e-300;

/** Far more than are needed at a + b = 10^9: an end for what is not a number. */
const MOST_STEPS = 1_000_000;

/** P(X >= least) for X of the binomial distribution with n tries and chance `share`. */
export function binomialUpperTail(least: number, n: number, share: number): number {
  if (least <= 0) return 1;
  if (least > n) return 0;
  return incompleteBeta(share, least, n - least + 1);
}

/** @param a at least 1 @param b at least 1 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // On the other side of the mean the fraction converges slowly, and the mirrored one fast.
  return x * (a + b + 2) < a + 1 ? lowerPart(x, 1 - x, a, b) : 1 - lowerPart(1 - x, x, b, a);
}

function lowerPart(x: number, oneMinusX: number, a: number, b: number): number {
  return (kernel(x, oneMinusX, a, b) * continuedFraction(x, a, b)) / a;
}

/** x^a (1-x)^b / B(a, b) */
function kernel(x: number, oneMinusX: number, a: number, b: number): number {
  const sum = a + b;
  const deviances = deviance(a, sum * x) + deviance(b, sum * oneMinusX);
  const stirling = stirlingError(sum) - stirlingError(a) - stirlingError(b);
  return Math.sqrt((a * (b / sum)) / (2 * Math.PI)) * Math.exp(stirling - deviances);
}

function continuedFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= MOST_STEPS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    const factor = c * d;
    fraction *= factor;
    if (Math.abs(factor - 1) < ENOUGH) break;
  }
  return fraction;
}

function awayFromZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** value ln(value / expected) + expected - value, without cancellation where the two are close. */
function deviance(value: number, expected: number): number {
  const difference = value - expected;
  if (Math.abs(difference) >= 0.1 * (value + expected))
    return value * Math.log(value / expected) - difference;
  const ratio = difference / (value + expected);
  let sum = difference * ratio;
  let power = 2 * value * ratio;
  for (let odd = 3; odd < 100; odd += 2) {
    power *= ratio * ratio;
    const next = sum + power / odd;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** From here on the series of `stirlingError` is exact to the last digit. */
const SERIES_FROM = 10;

/** ln of what gamma(z) is over Stirling's sqrt(2 pi / z) (z / e)^z. */
function stirlingError(z: number): number {
  let error = 0;
  while (z < SERIES_FROM) {
    error += (z + 0.5) * Math.log1p(1 / z) - 1;
    z += 1;
  }
  const over = 1 / (z * z);
  const series =
    1 / 12 -
    over * (1 / 360 - over * (1 / 1260 - over * (1 / 1680 - over * (1 / 1188 - over * (691 / 360360)))));
  return error + series / z;
}
