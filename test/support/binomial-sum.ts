// P(X >= least) for X of the binomial distribution, term by term. For n of some hundreds at most.

export function binomialSum(least: number, n: number, share: number): number {
  let sum = 0;
  for (let k = Math.max(0, least); k <= n; k += 1) sum += choose(n, k) * share ** k * (1 - share) ** (n - k);
  return sum;
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i += 1) ways = (ways * (n - k + i)) / i;
  return ways;
}
