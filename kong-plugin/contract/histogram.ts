// A lossless histogram of whole milliseconds: how many observations fell on each value.
// Below 2,000 ms a cell is one millisecond. Above, it is one step of three significant digits and is named by its upper
// end (2,001 ms is counted at 2,010), so that "at most 2.5 s" is answered exactly for every bound of up to three digits.
// The sum is of the true values, not of the cells. What is over MAX_CELL_MS counts as that, in the sum too: one absurd
// clock must not spoil a sum for ever.

/** Cell (ms) -> number of observations in it. */
export type Cells = Map<number, number>;

export interface Histogram {
  count: number;
  sumMs: number;
  cells: Cells;
}

/** Up to here every millisecond has a cell of its own. */
export const EXACT_BELOW_MS = 2_000;

/** 11.5 days: longer than any request that a gateway lets live. */
export const MAX_CELL_MS = 1_000_000_000;

/** The cell of a duration in whole milliseconds; a negative duration is counted at 0. */
export function cellOf(durationMs: number): number {
  if (durationMs < EXACT_BELOW_MS) return Math.max(0, durationMs);
  if (durationMs >= MAX_CELL_MS) return MAX_CELL_MS;
  let stepMs = 10;
  while (durationMs > stepMs * 1_000) stepMs *= 10;
  return Math.ceil(durationMs / stepMs) * stepMs;
}

/** The shortest duration that falls into a cell. */
export function shortestOf(cellMs: number): number {
  if (cellMs <= EXACT_BELOW_MS) return cellMs;
  let stepMs = 10;
  while (cellMs > stepMs * 1_000) stepMs *= 10;
  return Math.max(EXACT_BELOW_MS, cellMs - stepMs) + 1;
}

/** Whether a number is one that `cellOf` can give. */
export function isCell(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_CELL_MS && cellOf(ms) === ms;
}

export function emptyHistogram(): Histogram {
  return { count: 0, sumMs: 0, cells: new Map() };
}

/** Adds one duration in whole milliseconds. */
export function record(histogram: Histogram, durationMs: number): void {
  const cell = cellOf(durationMs);
  histogram.count += 1;
  histogram.sumMs += Math.min(Math.max(0, durationMs), MAX_CELL_MS);
  histogram.cells.set(cell, (histogram.cells.get(cell) ?? 0) + 1);
}

/** Adds all of `other` to `target`; the order and grouping of merges do not matter. */
export function mergeHistogram(target: Histogram, other: Histogram): void {
  target.count += other.count;
  target.sumMs += other.sumMs;
  for (const [cell, count] of other.cells) target.cells.set(cell, (target.cells.get(cell) ?? 0) + count);
}

/** How many observations were at most `boundMs` long. */
export function countAtMost(histogram: Histogram, boundMs: number): number {
  let count = 0;
  for (const [cell, observations] of histogram.cells) if (cell <= boundMs) count += observations;
  return count;
}

/**
 * Which of so many observations in their order, from 1, is the nearest-rank quantile. A product of decimals may lie a last digit over
 * the whole number that it is: 0.55 of 100 would be the 56th.
 */
export function nearestRank(quantile: number, count: number): number {
  const product = quantile * count;
  const whole = Math.round(product);
  const isWhole = Math.abs(product - whole) <= 2 * Number.EPSILON * product;
  return Math.max(1, isWhole ? whole : Math.ceil(product));
}

/**
 * The value that `quantile` (0 to 1) of the observations do not exceed, in ms: the nearest-rank quantile, which is always
 * a value that was observed. `undefined` for an empty histogram.
 */
export function quantileMs(histogram: Histogram, quantile: number): number | undefined {
  if (histogram.count === 0) return undefined;
  const rank = nearestRank(quantile, histogram.count);
  // A typed array of numbers sorts several times faster than a list with a function that compares.
  const cells = new Uint32Array(histogram.cells.size);
  let index = 0;
  for (const cell of histogram.cells.keys()) cells[index++] = cell;
  let seen = 0;
  for (const cell of cells.sort()) {
    seen += histogram.cells.get(cell) ?? 0;
    if (seen >= rank) return cell;
  }
  return undefined;
}
