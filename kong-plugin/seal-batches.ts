// From what was taken to sealed batches: bytes under a producer id and a sequence, each within the size limit.
import { MAX_SEALED_BYTES, encodeBatch, type Interval } from './contract/batch';
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
 * @param maxBytes a batch is only larger where one delta alone is
 */
export function sealBatches(
  { intervals, statistics }: Taken,
  producer: string,
  firstSequence: number,
  maxBytes = MAX_SEALED_BYTES,
): SealedBatch[] {
  const sealed: SealedBatch[] = [];
  const seal = (part: Interval[]): void => {
    const sequence = firstSequence + sealed.length;
    const own = sealed.length === 0 ? statistics : noStatistics();
    const bytes = encodeBatch({ producer, sequence, intervals: part, statistics: own });
    const deltas = part.flatMap((interval) => interval.deltas);
    if (bytes.length <= maxBytes || deltas.length <= 1) {
      sealed.push({
        producer,
        sequence,
        bytes,
        requests: deltas.reduce((sum, { requests }) => sum + requests, 0),
      });
      return;
    }
    const half = Math.ceil(deltas.length / 2);
    seal(slice(part, 0, half));
    seal(slice(part, half, deltas.length));
  };
  seal(intervals);
  return sealed;
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
