// From what Prometheus' counters rose by in a step to the deltas that made them rise, as well as they can be told: an upstream time is
// only known by its bucket, and counts as the bucket's upper bound, or, beyond the last bound, as twice that. So a threshold that is
// a bound, as those of the sidecar's own rules are, is judged exactly.
import { ERROR_SEVERITIES } from '../../kong-plugin/contract/error-severities';
import { emptyDelta, type Delta, type Series } from '../../kong-plugin/contract/delta';
import { cellOf, type Histogram } from '../../kong-plugin/contract/histogram';
import type { Severity } from '../../kong-plugin/contract/severity';
import { SOURCES } from '../../kong-plugin/contract/source';
import type { Parts } from './counter-steps';

/** The labels that `gatewatch_requests_total` has of its own. */
export const REQUEST_LABELS = ['service', 'operation', 'status', 'source', 'error_type'] as const;
/** Those of `external_request_duration_seconds`, but for `le`. */
export const DURATION_LABELS = ['service', 'operation', 'status'] as const;

export type Labels = Readonly<Record<string, string>>;

export interface RisenRequests {
  readonly labels: Labels;
  readonly requests: number;
}

export interface RisenDurations {
  readonly labels: Labels;
  /** Upper bound in ms -> how many were at most that long. */
  readonly atMost: Parts;
}

/** Several risings of the same labels, as from several targets, are added up. */
export function deltasOfRises(
  requests: readonly RisenRequests[],
  durations: readonly RisenDurations[],
): Delta[] {
  const deltas = new Map<string, Delta>();
  const byDuration = new Map<string, Delta[]>();
  for (const { labels, requests: count } of requests) {
    const key = keyOf(labels, REQUEST_LABELS);
    let delta = deltas.get(key);
    if (delta === undefined) {
      delta = emptyDelta(seriesOf(labels));
      deltas.set(key, delta);
      const durationKey = keyOf(labels, DURATION_LABELS);
      byDuration.set(durationKey, [...(byDuration.get(durationKey) ?? []), delta]);
    }
    delta.requests += count;
  }
  for (const { labels, atMost } of durations)
    dealOut(timesOf(atMost), byDuration.get(keyOf(labels, DURATION_LABELS)) ?? []);
  return [...deltas.values()];
}

/** A name that only the plugin's configuration knows is as bad as its status says. */
export function severityOf(errorType: string, status: number): Severity {
  if (errorType === '') return 'info';
  if (isBuiltIn(errorType)) return ERROR_SEVERITIES[errorType];
  return status >= 500 ? 'error' : 'warning';
}

export function isBuiltIn(errorType: string): errorType is keyof typeof ERROR_SEVERITIES {
  return Object.hasOwn(ERROR_SEVERITIES, errorType);
}

/** The text of the labels that are named. */
export function keyOf(labels: Labels, names: readonly string[]): string {
  return names.map((name) => labels[name] ?? '').join('\0');
}

function seriesOf({
  service = '',
  operation = '',
  status: text,
  source,
  error_type: errorType = '',
}: Labels): Series {
  const status = Number(text) || 0;
  return {
    service,
    operation,
    status,
    source: SOURCES.find((known) => known === source) ?? 'upstream',
    errorType,
    severity: severityOf(errorType, status),
  };
}

/** From counts of "at most so long" to cells and counts. */
function timesOf(atMost: Parts): [cell: number, count: number][] {
  const bounds = [...atMost.keys()].sort((a, b) => a - b);
  const lastMs = bounds.filter(Number.isFinite).at(-1) ?? 0;
  let before = 0;
  return bounds.flatMap((boundMs): [number, number][] => {
    const upTo = atMost.get(boundMs) ?? 0;
    // Rises that were added up over a gap may be out of step by one.
    const count = Math.max(0, upTo - before);
    before = Math.max(before, upTo);
    return count === 0 ? [] : [[cellOf(Number.isFinite(boundMs) ? boundMs : 2 * lastMs), count]];
  });
}

/**
 * Which of several deltas of one status reached an upstream, the metric does not tell: those whose source says so come first, and of
 * those the ones with the most requests. None gets more times than it has requests.
 */
function dealOut(times: readonly [cell: number, count: number][], candidates: readonly Delta[]): void {
  const isUpstream = ({ series }: Delta): number => (series.source === 'upstream' ? 1 : 0);
  const inOrder = [...candidates].sort((a, b) => isUpstream(b) - isUpstream(a) || b.requests - a.requests);
  for (const [cell, count] of times) {
    let rest = count;
    for (const { requests, upstream } of inOrder) {
      const taken = Math.min(rest, requests - upstream.count);
      if (taken > 0) addTimes(upstream, cell, taken);
      rest -= Math.max(0, taken);
    }
  }
}

function addTimes(histogram: Histogram, cell: number, count: number): void {
  histogram.count += count;
  histogram.sumMs += cell * count;
  histogram.cells.set(cell, (histogram.cells.get(cell) ?? 0) + count);
}
