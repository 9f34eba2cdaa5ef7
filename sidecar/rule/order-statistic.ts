// Which of n sorted samples bounds a quantile from below, whatever the distribution: the l-th smallest is at most the true
// quantile q with the probability that at least l of n samples are at most it, P(Bin(n, q) >= l).
// G. J. Hahn and W. Q. Meeker, "Statistical Intervals" (1991), chapter 5. Where several samples are equal it holds all the more.
import { binomialUpperTail } from './incomplete-beta';

/** A probability that is exactly the confidence is enough, whatever its last digits were rounded to. */
const ROUNDING = 1e-12;

/**
 * The rank (1 to n) of the largest sample that is at most the true quantile with at least that confidence.
 * 0 where n is too small for any.
 */
export function lowerOrderStatistic(n: number, quantile: number, confidence: number): number {
  let enough = 0;
  let tooMuch = n + 1;
  while (tooMuch - enough > 1) {
    const rank = Math.floor((enough + tooMuch) / 2);
    if (isLowerBound(rank, n, quantile, confidence)) enough = rank;
    else tooMuch = rank;
  }
  return enough;
}

/**
 * Whether the lower bound of the quantile is over a threshold that `atMost` of the n samples do not exceed: whether the sample of
 * `lowerOrderStatistic` is one of the others. Costs one tail of the binomial distribution, or less.
 */
export function isQuantileOver(atMost: number, n: number, quantile: number, confidence: number): boolean {
  if (atMost >= n) return false;
  if (isClearlyOver(atMost, n, quantile, confidence)) return true;
  return isLowerBound(atMost + 1, n, quantile, confidence);
}

function isLowerBound(rank: number, n: number, quantile: number, confidence: number): boolean {
  return binomialUpperTail(rank, n, quantile) >= confidence - ROUNDING;
}

/**
 * Chernoff's bound: P(Bin(n, q) <= k) is at most exp(-n D), where D is the divergence of k/n from q. In trouble it is most often
 * enough, and it saves the exact tail.
 */
function isClearlyOver(atMost: number, n: number, quantile: number, confidence: number): boolean {
  const share = atMost / n;
  if (share >= quantile) return false;
  const others = (1 - share) * Math.log((1 - share) / (1 - quantile));
  const divergence = others + (share === 0 ? 0 : share * Math.log(share / quantile));
  return Math.exp(-n * divergence) < 1 - confidence;
}
