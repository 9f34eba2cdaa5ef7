// How far back what Kong served is known: a rule that looks further back could never tell anything.

/** How many answers of the Kongs are kept: a day at the usual interval of 10 s. */
export const MOST_OBSERVED_ROUNDS = 10_000;

/** The newest of so many in which all answered is the end of a window. */
export const LATEST_OBSERVED_ROUNDS = 3;

/** The longest window whose beginning is kept, where Kong is asked so often. */
export function longestObservedMs(intervalMs: number): number {
  return (MOST_OBSERVED_ROUNDS - LATEST_OBSERVED_ROUNDS) * intervalMs;
}
