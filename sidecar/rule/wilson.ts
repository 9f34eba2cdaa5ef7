// In: how many of n had something happen to them. Out: what the true share is at least, or at most, with a confidence.
// One-sided bounds of the score interval without continuity correction: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209;
// method 3 in R. G. Newcombe, Statistics in Medicine 17 (1998) 857. With a confidence of 0.5 both are the share itself.
import { normalQuantile } from './normal-quantile';

/** What the true share is at least; 0 where nothing was seen. @param successes 0 to n; need not be whole */
export function wilsonLowerBound(successes: number, n: number, confidence: number): number {
  if (n === 0 || successes === 0) return 0;
  return Math.max(0, scoreBound(successes / n, n, -normalQuantile(confidence)));
}

/** What the true share is at most; 1 where nothing was seen. @param successes 0 to n; need not be whole */
export function wilsonUpperBound(successes: number, n: number, confidence: number): number {
  if (n === 0 || successes === n) return 1;
  return Math.min(1, scoreBound(successes / n, n, normalQuantile(confidence)));
}

function scoreBound(share: number, n: number, z: number): number {
  const spread = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return (share + (z * z) / (2 * n) + spread) / (1 + (z * z) / n);
}
