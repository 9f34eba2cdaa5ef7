// POST /v1/batches: bytes -> batch -> ledger -> windows -> receipt. The receipt is the last thing that happens.
import type { Request, RequestHandler, Response } from 'express';
import { SENT_AT_HEADER, type Batch } from '../../kong-plugin/contract/batch';
import type { Fault, FaultCode } from '../../kong-plugin/contract/fault';
import type { LivingProducers } from '../exposition/living-producers';
import type { OwnMetrics } from '../exposition/own-metrics';
import type { CountedRequests } from '../ledger/counted-requests';
import { NotDurable, type Applied, type Ledger } from '../ledger/ledger';
import { RECENT_BATCHES } from '../ledger/ledger-state';
import { deliveryOf } from '../window/coverage';
import type { ScopeWindows } from '../window/scope-windows';
import type { Clock } from '../clock';
import type { BatchRecording } from '../ingest/batch-recording';
import { placeIntervals } from '../ingest/place-intervals';
import { readBatch } from '../ingest/read-batch';
import type { BatchTimes } from '../ingest/recorded-line';

export interface IngestParts {
  readonly ledger: Ledger;
  readonly windows: ScopeWindows;
  readonly metrics: OwnMetrics;
  readonly living: LivingProducers;
  readonly recording: BatchRecording;
  readonly clock: Clock;
  /** The clock of the windows. */
  readonly steady: Clock;
  readonly seriesCap: () => number;
  readonly counted: CountedRequests;
}

/** The statuses of the faults that a batch can have of itself. Final for the producer: 400, 413 and 422. */
const STATUS_OF: Readonly<Record<FaultCode, number>> = {
  unauthorized: 401,
  not_json: 400,
  wrong_version: 400,
  invalid_batch: 422,
  too_large: 413,
  sequence_conflict: 422,
  not_durable: 503,
};

export function receiveBatch(parts: IngestParts): RequestHandler {
  return async (request: Request, response: Response) => {
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const read = readBatch(bytes);
    if (!read.ok) {
      refuse(parts, response, read.fault);
      return;
    }
    const startMs = parts.clock.monotonicMs();
    const receivedMs = parts.clock.nowMs();
    const steadyMs = parts.steady.nowMs();
    let applied: Applied;
    try {
      applied = await parts.ledger.apply(read.batch, bytes, receivedMs, parts.seriesCap(), startMs);
    } catch (error) {
      if (!(error instanceof NotDurable)) throw error;
      parts.windows.known.refused(read.batch.producer, steadyMs);
      refuse(parts, response, { fault: 'not_durable', message: error.message });
      return;
    }
    if (!('receipt' in applied)) {
      refuse(parts, response, faultOf(applied, read.batch));
      return;
    }
    parts.metrics.batches.inc({ result: applied.result });
    if (applied.result === 'applied') {
      const times = { receivedMs, sentAtMs: readSentAt(request.get(SENT_AT_HEADER)) ?? receivedMs };
      parts.recording.add(times, bytes);
      observe(parts, read.batch, applied, times, steadyMs);
      parts.metrics.applyDurationSeconds.observe((parts.clock.monotonicMs() - startMs) / 1000);
    }
    response.json(applied.receipt);
  };
}

/** Why the ledger did not count it. */
function faultOf(applied: Exclude<Applied, { receipt: unknown }>, { producer, sequence }: Batch): Fault {
  switch (applied.result) {
    case 'conflict':
      return {
        fault: 'sequence_conflict',
        message: `batch ${sequence} of producer ${producer} came before with other bytes; nothing was counted`,
      };
    case 'late':
      return {
        fault: 'sequence_conflict',
        message:
          `batch ${sequence} of producer ${producer} came out of order, after batch ${applied.lastSequence}, and is none of ` +
          `the last ${RECENT_BATCHES} that were counted; it was not counted`,
      };
    case 'overflow':
      return {
        fault: 'invalid_batch',
        message: `expected sums up to ${Number.MAX_SAFE_INTEGER}, found counts or times that pass it with what was counted before`,
      };
  }
}

/** Without the header the clocks are taken to agree. */
function readSentAt(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function observe(
  { metrics, living, windows, steady, counted }: IngestParts,
  batch: Batch,
  applied: Extract<Applied, { result: 'applied' }>,
  { receivedMs, sentAtMs }: BatchTimes,
  steadyMs: number,
): void {
  const { producer, process, isGoodbye } = batch;
  if (isGoodbye) living.remove(producer);
  else living.set(producer, (sentAtMs - receivedMs) / 1000, process);
  counted.add(batch.intervals);
  metrics.missingBatches.inc(applied.missingBatches);
  metrics.foldedRequests.inc(applied.foldedRequests);
  for (const { atMs, deltas } of placeIntervals(applied.intervals, sentAtMs, steadyMs)) {
    windows.add(atMs, deltas, steady.nowMs());
  }
  windows.known.received(deliveryOf(batch, sentAtMs, steadyMs), steady.nowMs());
}

function refuse({ metrics }: IngestParts, response: Response, fault: Fault): void {
  metrics.batches.inc({ result: fault.fault });
  response.status(STATUS_OF[fault.fault]).json(fault);
}
