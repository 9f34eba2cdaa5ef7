// Rules as the configuration gives them: those of numbers with the mission's threshold as critical, resolved at the same value,
// judged without a gate and from one request on. What a test is about it says in `changes`.
import type {
  ApdexRule,
  BurnRateRule,
  ErrorRateRule,
  KongUnreachableRule,
  LatencyRule,
  ObservedRatioRule,
  TargetUnhealthyRule,
  Threshold,
  TrafficAbsenceRule,
  TrafficDropRule,
} from '../../sidecar/config/rule';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const BASE = {
  each: 'service',
  match: {},
  windowMs: MINUTE_MS,
  forMs: 0,
  keepFiringForMs: 0,
  runbookUrl: undefined,
  overrides: [],
} as const;

const UNGATED = { confidence: undefined, minimumRequests: 1 } as const;

/** One critical threshold where none is given; resolved at the mildest. */
function at(value: number, changes: { readonly thresholds?: readonly Threshold[] }) {
  const thresholds = changes.thresholds ?? [{ severity: 'critical', value }];
  return { thresholds, resolveAt: thresholds[0]?.value ?? value };
}

/** p95 over 500 ms. */
export function latencyRule(changes: Partial<LatencyRule> = {}): LatencyRule {
  return {
    ...BASE,
    ...UNGATED,
    ...at(500, changes),
    name: 'slow',
    kind: 'latency',
    quantile: 0.95,
    ...changes,
  };
}

/** Over 1 %. */
export function errorRateRule(changes: Partial<ErrorRateRule> = {}): ErrorRateRule {
  return { ...BASE, ...UNGATED, ...at(0.01, changes), name: 'errors', kind: 'error_rate', ...changes };
}

/** Under 0.95, with T = 250 ms. */
export function apdexRule(changes: Partial<ApdexRule> = {}): ApdexRule {
  return {
    ...BASE,
    ...UNGATED,
    ...at(0.95, changes),
    name: 'apdex',
    kind: 'apdex',
    targetMs: 250,
    ...changes,
  };
}

/** Half of the hour before is lost. */
export function trafficDropRule(changes: Partial<TrafficDropRule> = {}): TrafficDropRule {
  return {
    ...BASE,
    ...UNGATED,
    ...at(0.5, changes),
    name: 'drop',
    kind: 'traffic_drop',
    windowMs: 5 * MINUTE_MS,
    baselineMs: HOUR_MS,
    ...changes,
  };
}

/** Nothing for 10 minutes where there were at least 100 in the day before. */
export function trafficAbsenceRule(changes: Partial<TrafficAbsenceRule> = {}): TrafficAbsenceRule {
  return {
    ...BASE,
    name: 'absence',
    kind: 'traffic_absence',
    severity: 'critical',
    windowMs: 10 * MINUTE_MS,
    baselineMs: 24 * HOUR_MS,
    minimumRequests: 100,
    ...changes,
  };
}

/** 99.9 % of requests without an error, with two rows for critical and one for warning: 14.4, 6 and 1. */
export function burnRateRule(changes: Partial<BurnRateRule> = {}): BurnRateRule {
  const windows = changes.windows ?? [
    { severity: 'critical', longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, factor: 14.4 },
    { severity: 'critical', longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, factor: 6 },
    { severity: 'warning', longMs: 72 * HOUR_MS, shortMs: 6 * HOUR_MS, factor: 1 },
  ];
  return {
    ...BASE,
    ...UNGATED,
    name: 'burn',
    kind: 'burn_rate',
    objective: 0.999,
    latencyMs: undefined,
    windows,
    windowMs: Math.max(...windows.map(({ longMs }) => longMs)),
    ...changes,
  };
}

export function kongUnreachableRule(changes: Partial<KongUnreachableRule> = {}): KongUnreachableRule {
  return {
    ...BASE,
    name: 'kong-away',
    kind: 'kong_unreachable',
    each: 'instance',
    severity: 'critical',
    ...changes,
  };
}

export function targetUnhealthyRule(changes: Partial<TargetUnhealthyRule> = {}): TargetUnhealthyRule {
  return {
    ...BASE,
    name: 'target-away',
    kind: 'target_unhealthy',
    each: 'target',
    severity: 'critical',
    ...changes,
  };
}

/** Under 0.999, for the gateway. */
export function observedRatioRule(changes: Partial<ObservedRatioRule> = {}): ObservedRatioRule {
  return {
    ...BASE,
    ...UNGATED,
    ...at(0.999, changes),
    name: 'unseen',
    kind: 'observed_ratio',
    each: 'gateway',
    windowMs: 15 * MINUTE_MS,
    ...changes,
  };
}
