// What the plugin sends and the sidecar takes: the deltas of closed intervals, under a producer id and a sequence number.
// Once encoded ("sealed") the bytes of a batch never change, so the sidecar can tell a repeat from a new batch.
import type { Delta } from './delta';
import { SENTRY_STATISTICS, type SentryStatistic } from './sentry-statistics';
import type { Severity } from './severity';
import type { Source } from './source';

export const BATCH_VERSION = 1;

/** Where a sidecar takes batches. */
export const BATCH_PATH = '/v1/batches';

/**
 * Sent outside the sealed bytes: the producer's clock (Unix ms) at the moment of this try. The sidecar places intervals by
 * their age, so neither two clocks that disagree nor one that is set puts requests into the wrong window.
 */
export const SENT_AT_HEADER = 'gatewatch-sent-at';

/** The body limit of the sidecar. A batch is split when sealed so that it stays under MAX_SEALED_BYTES. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;
export const MAX_SEALED_BYTES = 1024 * 1024;

/** Deltas of [startMs, startMs + durationMs) by the producer's clock (Unix ms). */
export interface Interval {
  startMs: number;
  durationMs: number;
  deltas: Delta[];
}

/** What the producer says about itself since its last batch; the sidecar adds it up. */
export interface ProducerStatistics extends Record<SentryStatistic, number> {
  /** Events that Kong handed over; equals the requests of all deltas. */
  events: number;
  /** Events whose log could not be read, or lacked a field that every log has. */
  malformedLogs: number;
  /** Events with an upstream time that cannot be: below 0, or above MAX_CELL_MS. */
  clockFaults: number;
  /** Tries to send a batch that ended without a receipt. */
  failedSends: number;
  /** Requests in batches that the sidecar refused for good. */
  refusedRequests: number;
  /** Requests that were counted under `__other__` because more series waited than the plugin keeps. */
  foldedRequests: number;
  /** Events that were in no spool when Kong was answered: a kill would have lost them. */
  unspooledEvents: number;
  /** Plugin server processes that were killed or crashed, by the spools that they left. */
  deaths: number;
  /** Spools that could not be read, or not to their end. */
  damagedSpools: number;
  /** How often a host started its worker again. */
  workerRestarts: number;
}

/** The fields of `ProducerStatistics`. */
export const PRODUCER_STATISTICS = [
  'events',
  'malformedLogs',
  'clockFaults',
  'failedSends',
  'refusedRequests',
  'foldedRequests',
  'unspooledEvents',
  'deaths',
  'damagedSpools',
  'workerRestarts',
  ...Object.values(SENTRY_STATISTICS.error),
  ...Object.values(SENTRY_STATISTICS.transaction),
] as const satisfies readonly (keyof ProducerStatistics)[];

/** How a producer's process was when a batch was sealed. */
export interface ProcessFigures {
  /** Requests that had no receipt yet, those of the batch included. */
  pendingRequests: number;
  /** The longest that its event loop came late since the batch before. */
  eventLoopLagMs: number;
  residentMemoryBytes: number;
}

/** The fields of `ProcessFigures`. */
export const PROCESS_FIGURES = [
  'pendingRequests',
  'eventLoopLagMs',
  'residentMemoryBytes',
] as const satisfies readonly (keyof ProcessFigures)[];

export interface Batch {
  producer: string;
  sequence: number;
  intervals: Interval[];
  statistics: ProducerStatistics;
  /** `null` of a producer whose process is dead: another one delivers what it left. */
  process: ProcessFigures | null;
  /** The producer has a receipt for everything and ends. Such a batch counts nothing, so that a repeat never matters. */
  isGoodbye: boolean;
}

/** A batch as JSON on the wire: maps are lists of pairs, and a delta is flat. */
export interface BatchDocument {
  version: number;
  producer: string;
  sequence: number;
  intervals: { startMs: number; durationMs: number; deltas: DeltaDocument[] }[];
  statistics: ProducerStatistics;
  process: ProcessFigures | null;
  isGoodbye: boolean;
}

export interface DeltaDocument {
  service: string;
  operation: string;
  status: number;
  source: Source;
  errorType: string;
  severity: Severity;
  requests: number;
  upstreamSumMs: number;
  upstreamCells: [ms: number, count: number][];
  failedTries: [code: number, count: number][];
  /** Absent where there are none: a plugin that did not know them wrote the same. */
  failedAddresses?: [address: string, count: number][];
}

/** The sealed bytes of a batch. */
export function encodeBatch(batch: Batch): Buffer {
  const document: BatchDocument = {
    version: BATCH_VERSION,
    producer: batch.producer,
    sequence: batch.sequence,
    intervals: batch.intervals.map(({ startMs, durationMs, deltas }) => ({
      startMs,
      durationMs,
      deltas: deltas.map(encodeDelta),
    })),
    statistics: batch.statistics,
    process: batch.process,
    isGoodbye: batch.isGoodbye,
  };
  return Buffer.from(JSON.stringify(document));
}

function encodeDelta(delta: Delta): DeltaDocument {
  const { service, operation, status, source, errorType, severity } = delta.series;
  return {
    service,
    operation,
    status,
    source,
    errorType,
    severity,
    requests: delta.requests,
    upstreamSumMs: delta.upstream.sumMs,
    upstreamCells: [...delta.upstream.cells],
    failedTries: [...delta.failedTries],
    ...(delta.failedAddresses.size > 0 && { failedAddresses: [...delta.failedAddresses] }),
  };
}
