// What holds where the file says nothing. The shipped gatewatch.yml says the same, and a test keeps the two in step.
import type { Severity } from '../../kong-plugin/contract/severity';
import type { Inhibition, KongSettings, LinkSettings, NotificationPolicy } from './notification-policy';
import type { RuleDocument } from './rule-shape';
import type { RuleKind } from './rule';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_LISTEN = '127.0.0.1:9765';
export const DEFAULT_DATA_DIRECTORY = 'gatewatch-data';
export const DEFAULT_SERIES_CAP = 50_000;
export const DEFAULT_EVALUATION_INTERVAL_MS = 5 * SECOND_MS;
export const DEFAULT_RECORD_FOR_MS = 7 * DAY_MS;
export const DEFAULT_CHANNEL_TIMEOUT_MS = 10 * SECOND_MS;
/** A page that is an hour old would wake somebody for the past. */
export const DEFAULT_DEADLINE_MS = HOUR_MS;
export const DEFAULT_MAX_IN_FLIGHT = 4;
/**
 * Slack takes one message a second (https://docs.slack.dev/apis/web-api/rate-limits). Nobody reads more mail than that either. The others
 * are to be saved from us only where something goes wrong here.
 */
export const DEFAULT_MAX_PER_MINUTE = {
  slack: 60,
  email: 60,
  pagerduty: 120,
  webhook: 600,
  alertmanager: 600,
  sentry: 600,
} as const;
export const DEFAULT_SENTRY_ENVIRONMENT = 'production';
export const DEFAULT_SENTRY_API_URL = 'https://sentry.io';
/** Where Spotlight listens unless it is told otherwise. */
export const DEFAULT_SPOTLIGHT_URL = 'http://127.0.0.1:8969/stream';

/** What a kind of rule has where its rule says nothing. */
export interface RuleDefaults {
  readonly windowMs: number;
  readonly forMs: number;
  readonly severity: Severity;
  /** Of the kinds that compare with the time before. */
  readonly baselineMs: number;
  readonly minimumRequests: number;
}

const FIVE_MINUTES: RuleDefaults = {
  windowMs: 5 * MINUTE_MS,
  forMs: MINUTE_MS,
  severity: 'warning',
  baselineMs: HOUR_MS,
  minimumRequests: 1,
};

export const DEFAULTS_OF: Readonly<Record<RuleKind, RuleDefaults>> = {
  latency: FIVE_MINUTES,
  error_rate: FIVE_MINUTES,
  apdex: FIVE_MINUTES,
  traffic_drop: FIVE_MINUTES,
  /** Missed only where there used to be more than a stray request. */
  traffic_absence: { ...FIVE_MINUTES, windowMs: 10 * MINUTE_MS, baselineMs: DAY_MS, minimumRequests: 100 },
  /** The short window of each row is what a `for` is elsewhere. */
  burn_rate: { ...FIVE_MINUTES, forMs: 0 },
  kong_unreachable: { ...FIVE_MINUTES, forMs: 30 * SECOND_MS, severity: 'error' },
  target_unhealthy: { ...FIVE_MINUTES, severity: 'error' },
  /** Long enough for a second at its ends to be less than the tenth of a percent that is looked for. */
  observed_ratio: {
    ...FIVE_MINUTES,
    windowMs: 15 * MINUTE_MS,
    forMs: 5 * MINUTE_MS,
    severity: 'error',
  },
};

/** As long as it took to fire, but no longer than this: a few good requests after an outage are no recovery yet. */
export const MOST_DEFAULT_KEEP_FIRING_FOR_MS = MINUTE_MS;
/**
 * A rule is judged 17,280 times a day. Of a service with a request in five seconds and half the failures that the threshold allows,
 * 0.95 paged some ten times a day, 0.99 seven times and 0.999 not once (simulated days).
 */
export const DEFAULT_CONFIDENCE = 0.999;
export const DEFAULT_QUANTILE = 0.95;
/** 250 ms and 1 s (T and 4T) are both bounds of the histogram. */
export const DEFAULT_APDEX_TARGET_MS = 250;

/** In the form of the file, so that they are read as its rules are. The last four watch Kong, where it is to be watched. */
export const DEFAULT_RULES: readonly RuleDocument[] = [
  { name: 'p95_latency', p95_latency_ms: 500, overrides: [] },
  { name: 'error_rate', error_rate_threshold: 0.01, severity: 'critical', overrides: [] },
  { name: 'apdex', apdex_threshold: 0.95, overrides: [] },
  {
    name: 'gateway_errors',
    error_rate_threshold: 0.5,
    each: 'gateway',
    // So that it is there before the services' own alerts, which it hides.
    window: MINUTE_MS,
    for: 15 * SECOND_MS,
    keep_firing_for: MINUTE_MS,
    severity: 'critical',
    overrides: [],
  },
  { name: 'gateway_down', kong_unreachable: true, each: 'gateway', severity: 'critical', overrides: [] },
  { name: 'kong_unreachable', kong_unreachable: true, overrides: [] },
  { name: 'target_unhealthy', target_unhealthy: true, overrides: [] },
  { name: 'observed_ratio', observed_ratio_threshold: 0.999, overrides: [] },
];

export const DEFAULT_KONG: KongSettings = {
  statusUrls: [],
  intervalMs: 10 * SECOND_MS,
  timeoutMs: 5 * SECOND_MS,
};

export const DEFAULT_LINKS: LinkSettings = {
  externalUrl: undefined,
  dashboardUrl: undefined,
  prometheusUrl: undefined,
  sentryUrl: undefined,
  runbookUrl: undefined,
};

/** Of two alerts on one cause the one that says less is not told. */
export const DEFAULT_INHIBITIONS: readonly Inhibition[] = [
  // Without any Kong nothing else is news.
  {
    source: [
      { label: 'kind', operator: '=', value: 'kong_unreachable' },
      { label: 'level', operator: '=', value: 'gateway' },
    ],
    target: [{ label: 'level', operator: '=~', value: 'service|operation|error_type|instance|target' }],
    equal: [],
  },
  // One message for all of it, and not one for each service.
  {
    source: [
      { label: 'kind', operator: '=', value: 'error_rate' },
      { label: 'level', operator: '=', value: 'gateway' },
      { label: 'severity', operator: '=', value: 'critical' },
    ],
    target: [
      { label: 'kind', operator: '=~', value: 'error_rate|latency|apdex' },
      { label: 'level', operator: '=~', value: 'service|operation|error_type' },
    ],
    equal: [],
  },
  // Where so many requests fail, or none comes, it is no news that they are slow.
  {
    source: [
      { label: 'kind', operator: '=', value: 'error_rate' },
      { label: 'level', operator: '=', value: 'service' },
      { label: 'severity', operator: '=', value: 'critical' },
    ],
    target: [
      { label: 'kind', operator: '=~', value: 'latency|apdex' },
      { label: 'level', operator: '=~', value: 'service|operation' },
    ],
    equal: ['service'],
  },
  {
    source: [
      { label: 'kind', operator: '=', value: 'traffic_absence' },
      { label: 'level', operator: '=', value: 'service' },
    ],
    target: [
      { label: 'kind', operator: '=~', value: 'latency|apdex|traffic_drop' },
      { label: 'level', operator: '=~', value: 'service|operation' },
    ],
    equal: ['service'],
  },
];

export const DEFAULT_POLICY: Omit<NotificationPolicy, 'escalation'> = {
  groupBy: ['rule', 'service'],
  groupWaitMs: 0,
  groupIntervalMs: MINUTE_MS,
  repeatIntervalMs: 4 * HOUR_MS,
  repeatFactor: 2,
  mostRepeatsPerDay: 4,
  inhibitions: DEFAULT_INHIBITIONS,
  maintenance: [],
  quietHours: undefined,
  digest: undefined,
};
