// How long to wait before the next try: 1 s after the first failure, doubled after each further one, at most 1 minute; a
// random part of up to half of it is taken off, so that many senders do not come back at once.

const FIRST_MS = 1_000;
const MOST_MS = 60_000;

/**
 * @param failures how many tries failed, at least 1
 * @param random 0 to 1
 */
export function backOffMs(failures: number, random: number): number {
  const fullMs = Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1));
  return fullMs * (1 - random / 2);
}
