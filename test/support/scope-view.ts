// What a rule sees of a scope, said in one line: so many requests and errors, and how long they took.
import { countAtMost, emptyHistogram, type Histogram } from '../../kong-plugin/contract/histogram';
import { GATEWAY } from '../../sidecar/window/scope';
import type { CountedTime, Coverage, ScopeView } from '../../sidecar/window/scope-view';

/** How many requests took how long: [ms, how many]. */
export type Times = readonly (readonly [ms: number, count: number])[];

export interface Happened {
  readonly requests?: number;
  readonly errors?: number;
  /** Of requests without error severity: what Apdex and a latency objective judge. */
  readonly fine?: Times;
  /** What quantiles judge. */
  readonly latency?: Times;
  readonly coverage?: Coverage;
  /** Else the window itself, as far as it is covered. */
  readonly counted?: CountedTime;
}

/** The same in every window, or what `happened` says of one. */
export function scopeView(happened: Happened | ((windowMs: number, agoMs: number) => Happened)): ScopeView {
  const at = (windowMs: number, agoMs: number): Happened =>
    typeof happened === 'function' ? happened(windowMs, agoMs) : happened;
  return {
    scope: GATEWAY,
    counts: (windowMs, agoMs = 0) => {
      const { requests = 0, errors = 0, fine = [] } = at(windowMs, agoMs);
      const times = histogramOf(fine);
      return { requests, errors, samples: times.count, atMost: (boundMs) => countAtMost(times, boundMs) };
    },
    counted: (windowMs, agoMs = 0) => {
      const { counted, coverage } = at(windowMs, agoMs);
      return counted ?? { ms: windowMs, covered: coverage?.covered ?? 1 };
    },
    latency: (windowMs) => histogramOf(at(windowMs, 0).latency ?? []),
    coverage: (windowMs, agoMs = 0) => at(windowMs, agoMs).coverage ?? { covered: 1, lost: 0 },
  };
}

/** @param times each ms a cell of the histogram */
export function histogramOf(times: Times): Histogram {
  const histogram = emptyHistogram();
  for (const [ms, count] of times) {
    if (count === 0) continue;
    histogram.count += count;
    histogram.sumMs += ms * count;
    histogram.cells.set(ms, (histogram.cells.get(ms) ?? 0) + count);
  }
  return histogram;
}
