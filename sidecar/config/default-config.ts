// What holds where the file says nothing. The shipped gatewatch.yml says the same, and a test keeps the two in step.
import type { Rule } from './config';

export const DEFAULT_LISTEN = '127.0.0.1:9765';
export const DEFAULT_DATA_DIRECTORY = 'gatewatch-data';
export const DEFAULT_SERIES_CAP = 50_000;
export const DEFAULT_EVALUATION_INTERVAL_MS = 5_000;
export const DEFAULT_CHANNEL_TIMEOUT_MS = 10_000;
export const DEFAULT_SENTRY_ENVIRONMENT = 'production';
export const DEFAULT_SENTRY_API_URL = 'https://sentry.io';
/** Where Spotlight listens unless it is told otherwise. */
export const DEFAULT_SPOTLIGHT_URL = 'http://127.0.0.1:8969/stream';

export const DEFAULT_WINDOW_MS = 5 * 60_000;
export const DEFAULT_FOR_MS = 60_000;
/** With 100 requests one failure is the threshold of 1 %, and the p95 rests on five requests above it. */
export const DEFAULT_MINIMUM_REQUESTS = 100;
export const DEFAULT_SEVERITY = 'warning';
/** 250 ms and 1 s (T and 4T) are both bounds of the histogram. */
export const DEFAULT_APDEX_TARGET_MS = 250;

const base = {
  windowMs: DEFAULT_WINDOW_MS,
  forMs: DEFAULT_FOR_MS,
  minimumRequests: DEFAULT_MINIMUM_REQUESTS,
} as const;

export const DEFAULT_RULES: readonly Rule[] = [
  { ...base, name: 'p95_latency', severity: 'warning', kind: 'p95_latency', p95LatencyMs: 500 },
  { ...base, name: 'error_rate', severity: 'critical', kind: 'error_rate', errorRateThreshold: 0.01 },
  {
    ...base,
    name: 'apdex',
    severity: 'warning',
    kind: 'apdex',
    apdexThreshold: 0.95,
    apdexTargetMs: DEFAULT_APDEX_TARGET_MS,
  },
];
