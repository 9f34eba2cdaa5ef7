// How long to wait before the next try.

const FIRST_MS = 250;
const MOST_MS = 30_000;

/**
 * Doubles with each failure up to 30 s, then takes a random half off, so that many producers do not come back at once. The
 * receiver's own wish counts where it is longer, up to the same 30 s: it may be wrong, and the batch waits in memory.
 *
 * @param failures tries that failed so far, from 1; @param random 0 to 1
 */
export function backOffMs(failures: number, random: number, retryAfterMs = 0): number {
  const wholeMs = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return Math.max(wholeMs * (1 - random / 2), Math.min(retryAfterMs, MOST_MS));
}
