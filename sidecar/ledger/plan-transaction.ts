// From the ledger's state and one new batch to the transaction that makes the batch durable, and to what changes in memory
// once it is. Pure: the state is not touched before the transaction is on disk.
//
// Transaction t writes the additions of its batch, the labels of series it sees first, one slot of changed series whole (as
// of t - 1), the producer and the meta record; it deletes the additions of t - SLOTS, which are spent: every series they
// touched has been written whole since. So a batch costs its own size, not that of all the series it touches.
import type { Batch, Interval, ProducerStatistics } from '../../kong-plugin/contract/batch';
import { PRODUCER_STATISTICS } from '../../kong-plugin/contract/batch';
import { seriesKey, type Series } from '../../kong-plugin/contract/delta';
import { admit } from '../../kong-plugin/contract/series-cap';
import {
  SLOTS,
  additionsKey,
  encodeAdditions,
  encodeMeta,
  encodeProducer,
  encodeSeries,
  metaOf,
  producerKey,
  seriesRecordKey,
  slotOf,
} from './ledger-record';
import {
  RECENT_BATCHES,
  addTo,
  insertSeries,
  newSeries,
  removeSeries,
  type Addition,
  type LedgerSeries,
  type LedgerState,
  type ProducerPosition,
} from './ledger-state';
import type { StoreTransaction } from './ledger-store';
import { admitService } from './service-cap';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A series that nothing was added to for so long leaves the ledger. Both in time for which the sidecar ran. */
export const SERIES_IDLE_MS = 7 * DAY_MS;
/** A producer that was silent for so long is forgotten. */
export const PRODUCER_IDLE_MS = 30 * DAY_MS;

export interface PlannedTransaction {
  readonly transaction: number;
  readonly runningMs: number;
  readonly store: StoreTransaction;
  /** The batch's intervals with every series as it was admitted. */
  readonly intervals: readonly Interval[];
  /** Requests that were counted under `__other__` because of a cap. */
  readonly foldedRequests: number;
  readonly created: readonly LedgerSeries[];
  readonly additions: ReadonlyMap<LedgerSeries, Addition>;
  readonly expired: readonly LedgerSeries[];
  readonly position: ProducerPosition;
  readonly forgotten: readonly ProducerPosition[];
  readonly statistics: ProducerStatistics;
}

/**
 * @param nowMs Unix ms by the sidecar's clock
 * @param runningMs how long sidecars have run on this store
 */
export function planTransaction(
  state: LedgerState,
  batch: Batch,
  digest: string,
  nowMs: number,
  seriesCap: number,
  runningMs: number,
): PlannedTransaction {
  const transaction = state.transaction + 1;
  const created = new Map<string, LedgerSeries>();
  const additions = new Map<LedgerSeries, Addition>();
  let foldedRequests = 0;

  const createdServices = new Set<string>();
  const serviceOf = (wanted: string): string =>
    admitService(
      wanted,
      (service) => state.services.has(service) || createdServices.has(service),
      state.services.size + createdServices.size,
      seriesCap,
    );

  const entryOf = (given: Series): LedgerSeries => {
    const wanted = { ...given, service: serviceOf(given.service) };
    const find = (series: Series): LedgerSeries | undefined =>
      state.series.get(seriesKey(series)) ?? created.get(seriesKey(series));
    const admitted = admit(
      wanted,
      (series) => find(series) !== undefined,
      state.series.size + created.size,
      seriesCap,
    );
    const known = find(admitted);
    if (known) return known;
    const entry = newSeries(state.nextSeriesId + created.size, admitted, runningMs, transaction);
    created.set(seriesKey(admitted), entry);
    if (!state.services.has(admitted.service)) createdServices.add(admitted.service);
    return entry;
  };

  const intervals = batch.intervals.map((interval) => ({
    ...interval,
    deltas: interval.deltas.map((delta) => {
      const entry = entryOf(delta.series);
      if (seriesKey(entry.series) !== seriesKey(delta.series)) foldedRequests += delta.requests;
      const merged = additions.get(entry);
      if (merged) addTo(merged, delta);
      else additions.set(entry, copyOf(delta));
      return { ...delta, series: entry.series };
    }),
  }));

  const { changed, expired } = inspectSlot(state, transaction, additions, runningMs);
  const forgotten = [...state.producers.values()].filter(
    ({ producer, seenAtRunningMs }) =>
      producer !== batch.producer && runningMs - seenAtRunningMs > PRODUCER_IDLE_MS,
  );
  const position: ProducerPosition = {
    producer: batch.producer,
    sequence: batch.sequence,
    recent: [
      ...(state.producers.get(batch.producer)?.recent ?? []),
      { sequence: batch.sequence, digest },
    ].slice(-RECENT_BATCHES),
    lastSeenMs: nowMs,
    seenAtRunningMs: runningMs,
    hasLeft: batch.isGoodbye,
  };

  const before = metaOf(state);
  const meta = {
    ...before,
    transaction,
    nextSeriesId: state.nextSeriesId + created.size,
    seriesCount: before.seriesCount + created.size - expired.length,
    producerCount: before.producerCount + (state.producers.has(batch.producer) ? 0 : 1) - forgotten.length,
    requests: before.requests + sumRequests(additions.values()) - sumRequests(expired),
    runningMs,
    expiredSeries: before.expiredSeries + expired.length,
    statistics: addStatistics(state.statistics, batch.statistics),
  };
  const bySeriesId = new Map([...additions].map(([entry, delta]) => [entry.id, delta]));
  return {
    transaction,
    runningMs,
    store: {
      puts: [
        encodeAdditions(transaction, { atRunningMs: runningMs, bySeriesId }),
        ...[...created.values(), ...changed].map((entry) => encodeSeries(entry, transaction - 1)),
        encodeProducer(position),
        encodeMeta(meta),
      ],
      deletes: [
        ...(transaction > SLOTS ? [additionsKey(transaction - SLOTS)] : []),
        ...expired.map(({ id }) => seriesRecordKey(id)),
        ...forgotten.map(({ producer }) => producerKey(producer)),
      ],
    },
    intervals,
    foldedRequests,
    created: [...created.values()],
    additions,
    expired,
    position,
    forgotten,
    statistics: batch.statistics,
  };
}

/** Whether every sum would still be exact: past 2^53 it would not be, and the store would not take it back. */
export function staysExact(state: Readonly<LedgerState>, planned: PlannedTransaction): boolean {
  const { additions, statistics } = planned;
  const sums = [state.requests + sumRequests(additions.values())];
  for (const [entry, delta] of additions) {
    sums.push(entry.upstream.sumMs + delta.upstream.sumMs);
    for (const [code, tries] of delta.failedTries) sums.push((entry.failedTries.get(code) ?? 0) + tries);
  }
  const summed = addStatistics(state.statistics, statistics);
  for (const name of PRODUCER_STATISTICS) sums.push(summed[name]);
  return sums.every(Number.isSafeInteger);
}

/** Takes over what a transaction changed, after it is on disk. */
export function absorb(state: LedgerState, planned: PlannedTransaction): void {
  for (const entry of planned.created) insertSeries(state, entry);
  for (const [entry, delta] of planned.additions) {
    addTo(entry, delta);
    entry.touchedIn = planned.transaction;
    entry.seenAtRunningMs = planned.runningMs;
  }
  for (const entry of planned.expired) removeSeries(state, entry);
  for (const { producer } of planned.forgotten) state.producers.delete(producer);
  state.producers.set(planned.position.producer, planned.position);
  Object.assign(state.statistics, addStatistics(state.statistics, planned.statistics));
  state.transaction = planned.transaction;
  state.nextSeriesId += planned.created.length;
  state.requests += sumRequests(planned.additions.values()) - sumRequests(planned.expired);
  state.runningMs = planned.runningMs;
  state.expiredSeries += planned.expired.length;
}

/**
 * The series of this transaction's slot that changed since it was last written; and what was idle for too long. An operation
 * goes whole or not at all: a counter that is exposed adds up several of its series, and may vanish but never go down.
 */
function inspectSlot(
  state: LedgerState,
  transaction: number,
  additions: ReadonlyMap<LedgerSeries, Addition>,
  runningMs: number,
): { changed: LedgerSeries[]; expired: LedgerSeries[] } {
  // A series in one of the last additions records must stay for a start to add them to.
  const isIdle = (entry: LedgerSeries): boolean =>
    !additions.has(entry) &&
    entry.touchedIn < transaction - SLOTS &&
    runningMs - entry.seenAtRunningMs > SERIES_IDLE_MS;
  const changed: LedgerSeries[] = [];
  const idleOperations = new Set<string>();
  for (const entry of state.series.values()) {
    if (slotOf(entry.id) !== transaction % SLOTS) continue;
    if (entry.touchedIn >= transaction - SLOTS) changed.push(entry);
    else if (isIdle(entry)) idleOperations.add(entry.series.operation);
  }
  if (idleOperations.size === 0) return { changed, expired: [] };
  for (const entry of [...state.series.values(), ...additions.keys()]) {
    if (!isIdle(entry)) idleOperations.delete(entry.series.operation);
  }
  const expired = [...state.series.values()].filter(({ series }) => idleOperations.has(series.operation));
  return { changed, expired };
}

function addStatistics(left: ProducerStatistics, right: ProducerStatistics): ProducerStatistics {
  const sum = { ...left };
  for (const name of PRODUCER_STATISTICS) sum[name] += right[name];
  return sum;
}

function sumRequests(entries: Iterable<{ readonly requests: number }>): number {
  let sum = 0;
  for (const { requests } of entries) sum += requests;
  return sum;
}

function copyOf({ requests, upstream, failedTries }: Addition): Addition {
  return {
    requests,
    upstream: { ...upstream, cells: new Map(upstream.cells) },
    failedTries: new Map(failedTries),
  };
}
