// From what was taken to sealed batches: bytes under a producer id and a sequence, each within the size limit.
import {
  MAX_SEALED_BYTES,
  encodeBatch,
  type Batch,
  type Interval,
  type ProcessFigures,
} from './contract/batch';
import { noStatistics, type Taken } from './accumulator';

export interface SealedBatch {
  readonly producer: string;
  readonly sequence: number;
  readonly bytes: Buffer;
  /** How many requests are in it. */
  readonly requests: number;
}

/**
 * At least one batch, even of nothing: that is a sign of life. The statistics are in the first one alone.
 *
 * @param firstSequence of the first batch; the others follow
 * @param process as it is now; `null` where it is dead
 * @param maxBytes a batch is only larger where one delta alone is
 */
export function sealBatches(
  { intervals, statistics }: Taken,
  producer: string,
  firstSequence: number,
  process: ProcessFigures | null,
  maxBytes = MAX_SEALED_BYTES,
): SealedBatch[] {
  const sealed: SealedBatch[] = [];
  const seal = (part: Interval[]): void => {
    const sequence = firstSequence + sealed.length;
    const own = sealed.length === 0 ? statistics : noStatistics();
    const deltas = part.flatMap((interval) => interval.deltas);
    const batch = sealBatch({
      producer,
      sequence,
      intervals: part,
      statistics: own,
      process,
      isGoodbye: false,
    });
    if (batch.bytes.length <= maxBytes || deltas.length <= 1) {
      sealed.push(batch);
      return;
    }
    const half = Math.ceil(deltas.length / 2);
    seal(slice(part, 0, half));
    seal(slice(part, half, deltas.length));
  };
  seal(intervals);
  return sealed;
}

/** A producer's last batch. */
export function sealGoodbye(producer: string, sequence: number): SealedBatch {
  const statistics = noStatistics();
  return sealBatch({ producer, sequence, intervals: [], statistics, process: null, isGoodbye: true });
}

function sealBatch(batch: Batch): SealedBatch {
  let requests = 0;
  for (const { deltas } of batch.intervals) for (const delta of deltas) requests += delta.requests;
  return { producer: batch.producer, sequence: batch.sequence, bytes: encodeBatch(batch), requests };
}

/** The deltas from `from` to before `to`, counted through all intervals, each still in its interval. */
function slice(intervals: readonly Interval[], from: number, to: number): Interval[] {
  let before = 0;
  return intervals.flatMap((interval) => {
    const deltas = interval.deltas.slice(Math.max(0, from - before), Math.max(0, to - before));
    before += interval.deltas.length;
    return deltas.length === 0 ? [] : [{ ...interval, deltas }];
  });
}
