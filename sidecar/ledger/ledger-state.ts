// What the ledger knows, in memory: every series since the beginning, the last batch of every producer, and totals.
// It holds only what is on disk: a batch is merged in after its transaction has been flushed.
import { seriesKey, type Delta, type Series } from '../../kong-plugin/contract/delta';
import { emptyHistogram, mergeHistogram, type Histogram } from '../../kong-plugin/contract/histogram';
import { PRODUCER_STATISTICS, type ProducerStatistics } from '../../kong-plugin/contract/batch';

export interface LedgerSeries {
  /** Never used twice while the store lives. */
  readonly id: number;
  readonly series: Series;
  requests: number;
  upstream: Histogram;
  failedTries: Map<number, number>;
  /** `LedgerState.runningMs` when something was last added to it. */
  seenAtRunningMs: number;
  /** The number of the last transaction that added to it. */
  touchedIn: number;
}

export interface CountedBatch {
  readonly sequence: number;
  /** SHA-256 of the sealed bytes, hex. */
  readonly digest: string;
}

/** How many of a producer's batches are known one by one: more than a proxy holds back, and a record of about 1 KB. */
export const RECENT_BATCHES = 16;

/** What was counted of one producer. */
export interface ProducerPosition {
  readonly producer: string;
  /** Of the last one. */
  readonly sequence: number;
  /** The last ones in their order, that of `sequence` at the end. */
  readonly recent: readonly CountedBatch[];
  /** Unix ms by the sidecar's clock: to be shown, not to reckon with, since the clock may have been wrong. */
  readonly lastSeenMs: number;
  /** `LedgerState.runningMs` when it came. */
  readonly seenAtRunningMs: number;
  /** Its last batch was its goodbye. */
  readonly hasLeft: boolean;
}

export interface LedgerState {
  /** By `seriesKey`. */
  readonly series: Map<string, LedgerSeries>;
  readonly seriesById: Map<number, LedgerSeries>;
  /** Service -> how many series it has. */
  readonly services: Map<string, number>;
  readonly producers: Map<string, ProducerPosition>;
  /** All producers' statistics since the beginning. */
  readonly statistics: ProducerStatistics;
  /** The number of the last transaction on disk; 0 for a new store. */
  transaction: number;
  nextSeriesId: number;
  /** The sum of `requests` over all series: equal to what can be added up, or something is wrong. */
  requests: number;
  /** How long sidecars have run on this store, in all, up to the last transaction. What is idle is measured by it. */
  runningMs: number;
  /** Series that left after being idle, since the beginning. */
  expiredSeries: number;
}

export function emptyStatistics(): ProducerStatistics {
  return Object.fromEntries(PRODUCER_STATISTICS.map((name) => [name, 0])) as unknown as ProducerStatistics;
}

export function emptyState(): LedgerState {
  return {
    series: new Map(),
    seriesById: new Map(),
    services: new Map(),
    producers: new Map(),
    statistics: emptyStatistics(),
    transaction: 0,
    nextSeriesId: 1,
    requests: 0,
    runningMs: 0,
    expiredSeries: 0,
  };
}

/** A series without any request yet. */
export function newSeries(
  id: number,
  series: Series,
  seenAtRunningMs: number,
  touchedIn: number,
): LedgerSeries {
  return {
    id,
    series,
    requests: 0,
    upstream: emptyHistogram(),
    failedTries: new Map(),
    seenAtRunningMs,
    touchedIn,
  };
}

export function insertSeries(state: LedgerState, entry: LedgerSeries): void {
  state.series.set(seriesKey(entry.series), entry);
  state.seriesById.set(entry.id, entry);
  const { service } = entry.series;
  state.services.set(service, (state.services.get(service) ?? 0) + 1);
}

export function removeSeries(state: LedgerState, entry: LedgerSeries): void {
  state.series.delete(seriesKey(entry.series));
  state.seriesById.delete(entry.id);
  const { service } = entry.series;
  const left = (state.services.get(service) ?? 0) - 1;
  if (left > 0) state.services.set(service, left);
  else state.services.delete(service);
}

/** What one batch adds to a series; `Delta` without its labels, and without the addresses, which only the windows keep. */
export type Addition = Omit<Delta, 'series' | 'failedAddresses'>;

export function addTo(entry: Addition, addition: Addition): void {
  entry.requests += addition.requests;
  mergeHistogram(entry.upstream, addition.upstream);
  for (const [code, tries] of addition.failedTries) {
    entry.failedTries.set(code, (entry.failedTries.get(code) ?? 0) + tries);
  }
}
