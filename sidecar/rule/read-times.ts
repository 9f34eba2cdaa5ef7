// In: a histogram, a quantile, bounds. Out: the nearest-rank quantile and how many observations each bound holds, as `quantileMs`
// and `countAtMost` of the contract give them, at a fraction of their price: it is asked for every scope in every round.
// Cells go into bins, of 32 ms below 2,048 ms and a 32nd of each power of two above; only the cells of one bin are looked at.
import { MAX_CELL_MS, nearestRank, type Histogram } from '../../kong-plugin/contract/histogram';

export interface ReadTimes {
  /** `undefined` for an empty histogram. */
  readonly quantileMs: number | undefined;
  /** In the order of the bounds. */
  readonly atMost: readonly number[];
}

/** More than there are: 2,001 of single ms, 800 up to 10 s and 900 for each of the five powers of ten above. */
const MOST_CELLS = 8_192;

const EVEN_BELOW_MS = 2_048;

// Used over and over, so that a round allocates nothing here; nothing is kept in them from one call to the next.
const cells = new Float64Array(MOST_CELLS);
const counts = new Float64Array(MOST_CELLS);
const binsOfCells = new Float64Array(MOST_CELLS);
/** All zero between two calls. */
const binCounts = new Float64Array(binOf(MAX_CELL_MS) + 1);

/** @param quantile 0 to 1 @param boundsMs at least 0 */
export function readTimes(histogram: Histogram, quantile: number, boundsMs: readonly number[]): ReadTimes {
  const size = copyCells(histogram);
  const lastBin = fillBins(size);
  const rank = nearestRank(quantile, histogram.count);
  const atMost = boundsMs.map((boundMs) => countAtMost(boundMs, size, lastBin));
  const quantileMs = histogram.count === 0 ? undefined : cellOfRank(rank, size, lastBin);
  binCounts.fill(0, 0, lastBin + 1);
  return { quantileMs, atMost };
}

/** Two passes, since an entry of a map would be an array of its own. */
function copyCells({ cells: map }: Histogram): number {
  if (map.size > MOST_CELLS) throw new RangeError(`a histogram of ${map.size} cells`);
  let size = 0;
  for (const cell of map.keys()) cells[size++] = cell;
  let index = 0;
  for (const count of map.values()) counts[index++] = count;
  return size;
}

/** Returns the highest bin in use. */
function fillBins(size: number): number {
  let lastBin = 0;
  for (let index = 0; index < size; index += 1) {
    const bin = binOf(at(cells, index));
    binsOfCells[index] = bin;
    binCounts[bin] = at(binCounts, bin) + at(counts, index);
    lastBin = Math.max(lastBin, bin);
  }
  return lastBin;
}

/** A higher cell is in a higher bin, or in the same one. */
function binOf(ms: number): number {
  if (ms < EVEN_BELOW_MS) return ms >> 5;
  const power = 31 - Math.clz32(ms);
  return 64 + 32 * (power - 11) + ((ms >> (power - 5)) & 31);
}

function countAtMost(boundMs: number, size: number, lastBin: number): number {
  const boundBin = binOf(Math.min(boundMs, MAX_CELL_MS));
  let count = 0;
  for (let bin = Math.min(boundBin - 1, lastBin); bin >= 0; bin -= 1) count += at(binCounts, bin);
  for (let index = 0; index < size; index += 1)
    if (at(binsOfCells, index) === boundBin && at(cells, index) <= boundMs) count += at(counts, index);
  return count;
}

/** The cell in which the observation of a rank (from 1) lies. */
function cellOfRank(rank: number, size: number, lastBin: number): number | undefined {
  let left = rank;
  let bin = 0;
  for (; bin < lastBin && left > at(binCounts, bin); bin += 1) left -= at(binCounts, bin);
  const inBin = sortBin(bin, size);
  for (let index = 0; index < inBin; index += 1) {
    if (left <= at(counts, index)) return at(cells, index);
    left -= at(counts, index);
  }
  return undefined;
}

/** Brings the cells of a bin to the front, by insertion, over those of others. Returns how many they are: 32 at most. */
function sortBin(bin: number, size: number): number {
  let sorted = 0;
  for (let index = 0; index < size; index += 1) {
    if (at(binsOfCells, index) !== bin) continue;
    const cell = at(cells, index);
    const count = at(counts, index);
    let place = sorted;
    for (; place > 0 && at(cells, place - 1) > cell; place -= 1) {
      cells[place] = at(cells, place - 1);
      counts[place] = at(counts, place - 1);
    }
    cells[place] = cell;
    counts[place] = count;
    sorted += 1;
  }
  return sorted;
}

function at(numbers: Float64Array, index: number): number {
  return numbers[index] ?? 0;
}
