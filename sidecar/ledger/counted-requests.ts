// How many requests that have a service were counted since the start: what Kong's own counter counts. A sum over the ledger's series
// would not do: one that leaves after it was idle for long takes its requests along.
import type { Interval } from '../../kong-plugin/contract/batch';

export class CountedRequests {
  #total = 0;

  /** Never goes back. */
  get total(): number {
    return this.#total;
  }

  /** @param intervals of a batch that was counted now, as its producer told them */
  add(intervals: readonly Interval[]): void {
    for (const { deltas } of intervals)
      for (const { series, requests } of deltas) if (series.service !== '') this.#total += requests;
  }
}
