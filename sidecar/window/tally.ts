// What happened in one slot to requests that no rule tells apart: one service, operation, error type and way of being judged.
import { addAddress } from '../../kong-plugin/contract/failed-address';
import type { Delta } from '../../kong-plugin/contract/delta';
import { countsAsError } from '../../kong-plugin/contract/severity';
import { addSamples, emptyCounts, ERRORS, REQUESTS, type Counts } from './counts';
import { addCell, type PackedCells } from './packed-cells';

/** How requests are judged. */
export interface Judged {
  /** They are of error severity: they count as errors and are no samples of Apdex. */
  readonly isError: boolean;
  /** Their upstream times count as latency. */
  readonly inLatency: boolean;
}

export interface Tally {
  requests: number;
  /** Of the upstream times, where they are kept. */
  sumMs: number;
  /** Upstream times; none of requests whose times nobody asks for. */
  cells: PackedCells;
  /** Upstream address -> failures, as in a delta. */
  addresses: Map<string, number> | undefined;
}

/** Of these the fast failures would flatter a p95. */
const NO_LATENCY_STATUSES = new Set([499, 502, 503]);

export function emptyTally(): Tally {
  return { requests: 0, sumMs: 0, cells: [], addresses: undefined };
}

/** Returns the same. */
export function letTimesGo(tally: Tally): Tally {
  tally.sumMs = 0;
  tally.cells = [];
  return tally;
}

/** How the requests of a delta are judged. */
export function judgedAs({ series }: Delta): Judged {
  return { isError: countsAsError(series.severity), inLatency: !NO_LATENCY_STATUSES.has(series.status) };
}

/** What a delta tells of requests that are judged so. */
export function tallyOf(
  { requests, upstream, failedAddresses }: Delta,
  { isError, inLatency }: Judged,
): Tally {
  const tally = { ...emptyTally(), requests };
  if (inLatency || !isError) {
    tally.sumMs = upstream.sumMs;
    for (const [cell, count] of upstream.cells) addCell(tally.cells, cell, count);
  }
  addAddresses(tally, failedAddresses);
  return tally;
}

/** Adds all of `other`, which is judged the same, to `target`. */
export function mergeTally(target: Tally, other: Tally): void {
  target.requests += other.requests;
  target.sumMs += other.sumMs;
  for (let index = 0; index < other.cells.length; index += 2) {
    addCell(target.cells, other.cells[index] ?? 0, other.cells[index + 1] ?? 0);
  }
  if (other.addresses) addAddresses(target, other.addresses);
}

/** The same in counts. */
export function countsOfTally(
  { requests, cells }: Tally,
  { isError }: Judged,
  boundsMs: readonly number[],
): Counts {
  const counts = emptyCounts(boundsMs);
  counts[REQUESTS] = requests;
  if (isError) counts[ERRORS] = requests;
  else
    for (let index = 0; index < cells.length; index += 2) {
      addSamples(counts, boundsMs, cells[index] ?? 0, cells[index + 1] ?? 0);
    }
  return counts;
}

function addAddresses(target: Tally, addresses: ReadonlyMap<string, number>): void {
  if (addresses.size === 0) return;
  target.addresses ??= new Map();
  for (const [address, failures] of addresses) addAddress(target.addresses, address, failures);
}
