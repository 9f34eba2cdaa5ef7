// The form of one rule of gatewatch.yml. Its kind is the key of KINDS that it has. What holds where a key is left out is in
// default-config.ts, what concerns more than one key in rule-checks.ts.
import { z } from 'zod';
import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  apdexTargetMs,
  duration,
  latencyMs,
  name,
  numberWithin,
  severity,
  wholeNumber,
} from './fields';
import { linkTemplate } from './link-template-shape';
import { WINDOW_LEVELS, type RuleKind } from './rule';

/** The key that makes a rule what it is. */
export const KINDS = {
  p95_latency_ms: 'latency',
  latency_ms: 'latency',
  error_rate_threshold: 'error_rate',
  apdex_threshold: 'apdex',
  traffic_drop_threshold: 'traffic_drop',
  traffic_absence: 'traffic_absence',
  slo_objective: 'burn_rate',
  kong_unreachable: 'kong_unreachable',
  target_unhealthy: 'target_unhealthy',
  observed_ratio_threshold: 'observed_ratio',
} as const satisfies Record<string, RuleKind>;

export type KindKey = keyof typeof KINDS;

export const KIND_KEYS = Object.keys(KINDS) as KindKey[];

/** The longest that the past is kept for: more than twice the longest window of the SRE workbook. */
const MOST_WINDOW_MS = 7 * DAY_MS;

/** 0: every error breaches. 1 would never breach, and most likely means 1 %. */
const errorRate = numberWithin(
  'a number from 0 to below 1, such as 0.01 for 1 %',
  (share) => share >= 0 && share < 1,
);

/** 1: every request that is not satisfied breaches. 0 would never breach. */
const apdexScore = numberWithin(
  'a number above 0 and at most 1, such as 0.95',
  (score) => score > 0 && score <= 1,
);

const dropShare = numberWithin(
  'a number above 0 and below 1, such as 0.5 for half of the traffic',
  (share) => share > 0 && share < 1,
);

const observedRatio = numberWithin(
  'a number above 0 and at most 1, such as 0.999',
  (ratio) => ratio > 0 && ratio <= 1,
);

/** One number, which has the severity of the rule; or one for each severity, and where the alert resolves. */
function thresholds<Shape extends z.ZodType<number>>(shape: Shape) {
  const value = shape.optional();
  return z.union([
    shape,
    z.strictObject({ info: value, warning: value, error: value, critical: value, resolve: value }),
  ]);
}

export type ThresholdsDocument = z.infer<ReturnType<typeof thresholds>>;

const LABEL_ERROR = 'the name of one, as it is in the metrics';
const label = z.string({ error: LABEL_ERROR }).max(200, { error: LABEL_ERROR });
const match = z.strictObject(
  { service: label.optional(), operation: label.optional(), error_type: label.optional() },
  { error: 'labels, such as `service: checkout`' },
);

const TRUE_ERROR = 'true';
const isWatched = z.literal(true, { error: TRUE_ERROR });

const CONFIDENCE_ERROR = 'a number from 0.5 to below 1, such as 0.95, or off';
const confidence = z.union(
  [z.literal('off'), numberWithin(CONFIDENCE_ERROR, (level) => level >= 0.5 && level <= 0.999999)],
  { error: CONFIDENCE_ERROR },
);

const burnRate = z.strictObject(
  {
    severity,
    long: duration(10 * MINUTE_MS, MOST_WINDOW_MS),
    short: duration(MINUTE_MS, DAY_MS),
    factor: numberWithin('a number above 0, such as 14.4', (factor) => factor > 0 && factor <= 1e6),
  },
  { error: 'severity, long, short and factor' },
);

/** What a rule and an override of it have in common. */
const judged = {
  p95_latency_ms: thresholds(latencyMs).optional(),
  latency_ms: thresholds(latencyMs).optional(),
  quantile: numberWithin(
    'a number from 0.5 to 0.9999, such as 0.99',
    (q) => q >= 0.5 && q <= 0.9999,
  ).optional(),
  error_rate_threshold: thresholds(errorRate).optional(),
  apdex_threshold: thresholds(apdexScore).optional(),
  apdex_target_ms: apdexTargetMs.optional(),
  traffic_drop_threshold: thresholds(dropShare).optional(),
  traffic_absence: isWatched.optional(),
  baseline: duration(10 * MINUTE_MS, MOST_WINDOW_MS).optional(),
  slo_objective: numberWithin(
    'a number from 0.5 to below 1, such as 0.999',
    (share) => share >= 0.5 && share < 1,
  ).optional(),
  slo_latency_ms: latencyMs.optional(),
  burn_rates: z
    .array(burnRate, { error: 'a list of burn rates' })
    .min(1, { error: 'at least one burn rate' })
    .optional(),
  kong_unreachable: isWatched.optional(),
  target_unhealthy: isWatched.optional(),
  observed_ratio_threshold: thresholds(observedRatio).optional(),
  window: duration(10 * SECOND_MS, MOST_WINDOW_MS).optional(),
  for: duration(0, DAY_MS).optional(),
  keep_firing_for: duration(0, DAY_MS).optional(),
  confidence: confidence.optional(),
  minimum_requests: wholeNumber(1, 1_000_000_000).optional(),
  severity: severity.optional(),
  runbook_url: linkTemplate.optional(),
};

const override = z.strictObject(
  { match, disabled: isWatched.optional(), ...judged },
  { error: 'a match, and keys of the rule that differ there' },
);

/** `instance` is for kong_unreachable only. */
const LEVELS = [...WINDOW_LEVELS, 'instance'] as const;
const EACH_ERROR = `one of ${LEVELS.join(', ')}`;

export const ruleShape = z.strictObject(
  {
    name,
    each: z.enum(LEVELS, { error: EACH_ERROR }).optional(),
    match: match.optional(),
    ...judged,
    overrides: z.array(override, { error: 'a list of overrides' }).default([]),
  },
  { error: 'a rule: keys and values' },
);

export type RuleDocument = z.infer<typeof ruleShape>;
export type OverrideDocument = z.infer<typeof override>;

/** For windows of rules that need every single upstream time. */
export const MOST_FINE_WINDOW_MS = HOUR_MS;
