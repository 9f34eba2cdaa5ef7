// What happened in some slots, in numbers: requests, those of error severity, samples (upstream requests without error severity),
// and how many of the samples fell between each two bounds of their upstream time. Sums and differences of counts are exact.
import type { Delta } from '../../kong-plugin/contract/delta';
import { countsAsError } from '../../kong-plugin/contract/severity';

/** `[requests, errors, samples, up to the first bound, up to the second and over the first, ...]`. What is over all bounds is not told. */
export type Counts = number[];

export const REQUESTS = 0;
export const ERRORS = 1;
export const SAMPLES = 2;
const FIRST_BUCKET = 3;

export function emptyCounts(boundsMs: readonly number[]): Counts {
  return new Array<number>(FIRST_BUCKET + boundsMs.length).fill(0);
}

/** Adds (1) or takes away (-1) what has the same bounds. */
export function addCounts(target: Counts, other: Counts, sign: 1 | -1): void {
  for (let index = 0; index < other.length; index += 1) {
    target[index] = (target[index] ?? 0) + sign * (other[index] ?? 0);
  }
}

/** What one delta adds. @param boundsMs ascending */
export function countsOf({ series, requests, upstream }: Delta, boundsMs: readonly number[]): Counts {
  const counts = emptyCounts(boundsMs);
  counts[REQUESTS] = requests;
  if (countsAsError(series.severity)) counts[ERRORS] = requests;
  else for (const [cell, samples] of upstream.cells) addSamples(counts, boundsMs, cell, samples);
  return counts;
}

/** Adds samples of one upstream time. */
export function addSamples(counts: Counts, boundsMs: readonly number[], ms: number, samples: number): void {
  counts[SAMPLES] = (counts[SAMPLES] ?? 0) + samples;
  const bucket = FIRST_BUCKET + firstAtLeast(boundsMs, ms);
  if (bucket < counts.length) counts[bucket] = (counts[bucket] ?? 0) + samples;
}

/** How many samples took at most so long. @throws for a bound that is not counted by */
export function atMost(counts: Counts, boundsMs: readonly number[], boundMs: number): number {
  const bound = firstAtLeast(boundsMs, boundMs);
  if (boundsMs[bound] !== boundMs) throw new RangeError(`no rule has named the bound ${boundMs} ms`);
  return upTo(counts, bound);
}

/**
 * The same counts by other bounds. By a bound that they were not counted by nobody knows: what was at most the next longer one is
 * taken to be at most that one too, so that no time is ever made out to be longer than it was.
 */
export function rebound(counts: Counts, fromMs: readonly number[], toMs: readonly number[]): Counts {
  const known = counts.slice(0, FIRST_BUCKET);
  let before = 0;
  const buckets = toMs.map((boundMs) => {
    const bound = firstAtLeast(fromMs, boundMs);
    const total = bound < fromMs.length ? upTo(counts, bound) : (counts[SAMPLES] ?? 0);
    const bucket = total - before;
    before = total;
    return bucket;
  });
  return [...known, ...buckets];
}

/** All buckets up to and with that of a bound. */
function upTo(counts: Counts, bound: number): number {
  let total = 0;
  for (let index = FIRST_BUCKET; index <= FIRST_BUCKET + bound; index += 1) total += counts[index] ?? 0;
  return total;
}

/** The index of the first bound that is at least `ms`; the number of bounds where none is. */
function firstAtLeast(boundsMs: readonly number[], ms: number): number {
  let low = 0;
  let high = boundsMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((boundsMs[middle] ?? Infinity) >= ms) high = middle;
    else low = middle + 1;
  }
  return low;
}
