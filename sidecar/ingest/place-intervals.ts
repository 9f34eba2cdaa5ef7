// From a batch's intervals to moments on the sidecar's own clock, by their age: two clocks that disagree do not put requests
// into the wrong window.
import type { Interval } from '../../kong-plugin/contract/batch';
import type { Delta } from '../../kong-plugin/contract/delta';

export interface PlacedDeltas {
  /** The middle of the interval, Unix ms by the sidecar's clock. */
  readonly atMs: number;
  readonly deltas: readonly Delta[];
}

/** @param sentAtMs the producer's clock when it sent the batch, @param receivedMs the sidecar's when it came; Unix ms */
export function placeIntervals(
  intervals: readonly Interval[],
  sentAtMs: number,
  receivedMs: number,
): PlacedDeltas[] {
  return intervals.map(({ startMs, durationMs, deltas }) => {
    const ageMs = sentAtMs - (startMs + durationMs / 2);
    return { atMs: Math.min(receivedMs, receivedMs - ageMs), deltas };
  });
}
