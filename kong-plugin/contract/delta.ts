// What many observations add to one series. A series is one combination of the values below; merging is plain addition,
// so a delta may be merged with others of its series in any order.
import type { Histogram } from './histogram';
import { mergeHistogram } from './histogram';
import type { Severity } from './severity';
import type { Source } from './source';

/** The texts are labels: see `label-text.ts`. */
export interface Series {
  /** Kong's service name, else its host, else empty. */
  service: string;
  /** `METHOD route-name`; empty where no route matched. */
  operation: string;
  /** The status the client saw; 0 where the log had none. */
  status: number;
  source: Source;
  /** Empty for a request without an error; `severity` is then `info`. */
  errorType: string;
  severity: Severity;
}

export interface Delta {
  series: Series;
  /** Requests, whether they reached an upstream or not. */
  requests: number;
  /** The requests that reached an upstream, by upstream time. */
  upstream: Histogram;
  /** Code of a failed try -> how many tries failed so. */
  failedTries: Map<number, number>;
}

/** One text for one series: its values, between them what no label holds. It is made for each event. */
export function seriesKey({ service, operation, status, source, errorType, severity }: Series): string {
  return `${service}\0${operation}\0${status}\0${source}\0${errorType}\0${severity}`;
}

/** Adds `other` to `target`, which must be of the same series. */
export function mergeDelta(target: Delta, other: Delta): void {
  target.requests += other.requests;
  mergeHistogram(target.upstream, other.upstream);
  for (const [code, tries] of other.failedTries) {
    target.failedTries.set(code, (target.failedTries.get(code) ?? 0) + tries);
  }
}
