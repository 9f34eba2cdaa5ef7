// What many observations add to one series. A series is one combination of the values below; merging is plain addition,
// so a delta may be merged with others of its series in any order.
import { addAddress } from './failed-address';
import type { Histogram } from './histogram';
import { emptyHistogram, mergeHistogram } from './histogram';
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
  /** Upstream address -> how many tries failed there or were answered with an error; bounded: see `failed-address.ts`. */
  failedAddresses: Map<string, number>;
}

/** Of no request yet. */
export function emptyDelta(series: Series): Delta {
  return {
    series,
    requests: 0,
    upstream: emptyHistogram(),
    failedTries: new Map(),
    failedAddresses: new Map(),
  };
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
  for (const [address, failures] of other.failedAddresses) {
    addAddress(target.failedAddresses, address, failures);
  }
}
