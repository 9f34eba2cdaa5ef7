// What happened to one scope over some time, in exactly the terms that the rules judge.
import type { Delta } from '../../kong-plugin/contract/delta';
import { emptyHistogram, mergeHistogram, type Histogram } from '../../kong-plugin/contract/histogram';
import { countsAsError } from '../../kong-plugin/contract/severity';

export interface Tally {
  /** Every request, whether it reached an upstream or not. */
  requests: number;
  /** Requests of error severity. */
  errors: number;
  /** Upstream times, without those of status 499, 502 and 503, whose fast failures would flatter a p95. */
  latency: Histogram;
  /** Upstream times of requests without an error-severity outcome: satisfied, tolerated or frustrated by their time. */
  apdex: Histogram;
}

const NO_LATENCY_STATUSES = new Set([499, 502, 503]);

export function emptyTally(): Tally {
  return { requests: 0, errors: 0, latency: emptyHistogram(), apdex: emptyHistogram() };
}

/** Adds one delta of the scope. */
export function addDelta(tally: Tally, delta: Delta): void {
  const isError = countsAsError(delta.series.severity);
  tally.requests += delta.requests;
  if (isError) tally.errors += delta.requests;
  else mergeHistogram(tally.apdex, delta.upstream);
  if (!NO_LATENCY_STATUSES.has(delta.series.status)) mergeHistogram(tally.latency, delta.upstream);
}

/** Adds all of `other` to `target`. */
export function mergeTally(target: Tally, other: Tally): void {
  target.requests += other.requests;
  target.errors += other.errors;
  mergeHistogram(target.latency, other.latency);
  mergeHistogram(target.apdex, other.apdex);
}
