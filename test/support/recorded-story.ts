// A recording as a sidecar writes it: batches of one second that came a moment after it, in a directory of their own.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBatch, type Batch } from '../../kong-plugin/contract/batch';
import type { Delta } from '../../kong-plugin/contract/delta';
import { BatchRecording } from '../../sidecar/ingest/batch-recording';
import { batchOf } from './batches';
import { captureLog } from './captured-log';

export interface StoryBatch {
  readonly receivedMs: number;
  readonly sentAtMs: number;
  readonly batch: Batch;
}

/** A batch of what happened in the second before it came. */
export function storyBatch(receivedMs: number, sequence: number, deltas: readonly Delta[]): StoryBatch {
  const batch = batchOf(deltas, sequence);
  const intervals = [{ startMs: receivedMs - 1_500, durationMs: 1_000, deltas: [...deltas] }];
  const process = { pendingRequests: 0, eventLoopLagMs: 0, residentMemoryBytes: 1 };
  return { receivedMs, sentAtMs: receivedMs, batch: { ...batch, intervals, process } };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'gatewatch-replay-'));
}

/** Through the sidecar's own writer. */
export async function record(
  directory: string,
  batches: readonly StoryBatch[],
  startedMs = batches[0]?.receivedMs ?? 0,
): Promise<void> {
  const settings = { directory, keepMs: 7 * 86_400_000 };
  const recording = new BatchRecording(() => settings, captureLog().logger, startedMs);
  for (const { batch, ...times } of batches) recording.add(times, encodeBatch(batch));
  await recording.close();
}
