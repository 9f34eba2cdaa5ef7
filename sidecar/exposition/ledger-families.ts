// From the ledger's series to the metric families of the gateway's traffic. Names and labels are fixed: dashboards depend
// on them. Several series of the ledger may be one here (they differ in what a family does not expose); they are added up.
import { UNMATCHED } from '../../kong-plugin/contract/unmatched';
import type { LedgerSeries } from '../ledger/ledger-state';
import type { BucketSample, Labels, MetricFamily, Sample } from './metric-family';

/** The bounds of `external_request_duration_seconds` in ms; rules add theirs. */
export const STANDARD_BOUNDS_MS = [50, 100, 250, 500, 1000, 2500, 5000, 7500, 10000] as const;

/** @param ruleBoundsMs bounds that rules need, in ms; every series gets them, so that sums over series stay true */
export function ledgerFamilies(
  series: Iterable<LedgerSeries>,
  ruleBoundsMs: readonly number[],
): MetricFamily[] {
  const boundsMs = [...new Set([...STANDARD_BOUNDS_MS, ...ruleBoundsMs])].sort((a, b) => a - b);
  const durations = new Map<string, Duration>();
  const errors = new Sums();
  const requests = new Sums();
  const failedTries = new Sums();

  for (const entry of series) {
    const { service, operation, source, errorType } = entry.series;
    const status = String(entry.series.status);
    requests.add({ service, operation, status, source, error_type: errorType }, entry.requests);
    if (errorType !== '') {
      const endpoint = operation === '' ? UNMATCHED : operation;
      errors.add({ error_type: errorType, endpoint, source }, entry.requests);
    }
    for (const [code, tries] of entry.failedTries) {
      failedTries.add({ service, operation, code: String(code) }, tries);
    }
    if (entry.upstream.count > 0) addDuration(durations, { service, operation, status }, entry, boundsMs);
  }

  return [
    {
      name: 'external_request_duration_seconds',
      help: 'Time to response headers of requests that reached an upstream, failed tries included',
      type: 'histogram',
      samples: [...durations.values()].map((duration) => toSample(duration, boundsMs)),
    },
    {
      name: 'application_errors_total',
      help: 'Requests that ended in an error, by its type and who caused it',
      type: 'counter',
      samples: errors.samples(),
    },
    {
      name: 'gatewatch_requests_total',
      help: 'Every request that Kong reported, once; error_type is empty for those without an error',
      type: 'counter',
      samples: requests.samples(),
    },
    {
      name: 'gatewatch_upstream_failed_tries_total',
      help: 'Tries of an upstream target that failed, also where a retry made the request succeed',
      type: 'counter',
      samples: failedTries.samples(),
    },
  ];
}

interface Duration {
  readonly labels: Labels;
  /** Observations of each bucket alone, one more than there are bounds. */
  readonly perBucket: number[];
  count: number;
  sumMs: number;
}

function addDuration(
  durations: Map<string, Duration>,
  labels: Labels,
  { upstream }: LedgerSeries,
  boundsMs: readonly number[],
): void {
  const key = keyOf(labels);
  let duration = durations.get(key);
  if (!duration) {
    duration = { labels, perBucket: new Array<number>(boundsMs.length + 1).fill(0), count: 0, sumMs: 0 };
    durations.set(key, duration);
  }
  duration.count += upstream.count;
  duration.sumMs += upstream.sumMs;
  for (const [cell, observations] of upstream.cells) {
    let bucket = 0;
    while (bucket < boundsMs.length && cell > (boundsMs[bucket] ?? 0)) bucket += 1;
    duration.perBucket[bucket] = (duration.perBucket[bucket] ?? 0) + observations;
  }
}

function toSample({ labels, perBucket, count, sumMs }: Duration, boundsMs: readonly number[]): BucketSample {
  let cumulative = 0;
  const counts = boundsMs.map((_, index) => (cumulative += perBucket[index] ?? 0));
  return { labels, bounds: boundsMs.map((ms) => ms / 1000), counts, count, sum: sumMs / 1000 };
}

/** Counts by labels. */
class Sums {
  readonly #byKey = new Map<string, { labels: Labels; value: number }>();

  add(labels: Labels, value: number): void {
    const key = keyOf(labels);
    const sum = this.#byKey.get(key);
    if (sum) sum.value += value;
    else this.#byKey.set(key, { labels, value });
  }

  samples(): Sample[] {
    return [...this.#byKey.values()];
  }
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.values(labels));
}
