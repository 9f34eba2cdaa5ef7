// One rule in the form of gatewatch.yml. Read again it means the same.
import { formatDuration } from './duration';
import type { BurnRateWindow, Rule, ScopeMatch, Threshold } from './rule';

export function ruleDocument(rule: Rule): object {
  const hasOneLevel = rule.kind === 'target_unhealthy' || rule.kind === 'observed_ratio';
  return {
    name: rule.name,
    ...(hasOneLevel ? {} : { each: rule.each }),
    ...(Object.keys(rule.match).length === 0 ? {} : { match: matchDocument(rule.match) }),
    ...judgedDocument(rule),
    ...(rule.overrides.length === 0
      ? {}
      : {
          overrides: rule.overrides.map(({ match, rule: other }) => ({
            match: matchDocument(match),
            ...(other === undefined ? { disabled: true } : judgedDocument(other)),
          })),
        }),
  };
}

function judgedDocument(rule: Rule): object {
  return {
    ...kindDocument(rule),
    ...('windows' in rule || rule.kind === 'kong_unreachable' || rule.kind === 'target_unhealthy'
      ? {}
      : { window: formatDuration(rule.windowMs) }),
    for: formatDuration(rule.forMs),
    keep_firing_for: formatDuration(rule.keepFiringForMs),
    ...('confidence' in rule ? { confidence: rule.confidence ?? 'off' } : {}),
    ...('minimumRequests' in rule ? { minimum_requests: rule.minimumRequests } : {}),
    ...('severity' in rule ? { severity: rule.severity } : {}),
    ...(rule.runbookUrl === undefined ? {} : { runbook_url: rule.runbookUrl }),
  };
}

function kindDocument(rule: Rule): object {
  switch (rule.kind) {
    case 'latency':
      return { latency_ms: thresholdsDocument(rule), quantile: rule.quantile };
    case 'error_rate':
      return { error_rate_threshold: thresholdsDocument(rule) };
    case 'apdex':
      return { apdex_threshold: thresholdsDocument(rule), apdex_target_ms: rule.targetMs };
    case 'traffic_drop':
      return {
        traffic_drop_threshold: thresholdsDocument(rule),
        baseline: formatDuration(rule.baselineMs),
      };
    case 'traffic_absence':
      return { traffic_absence: true, baseline: formatDuration(rule.baselineMs) };
    case 'burn_rate':
      return {
        slo_objective: rule.objective,
        ...(rule.latencyMs === undefined ? {} : { slo_latency_ms: rule.latencyMs }),
        burn_rates: rule.windows.map(burnRateDocument),
      };
    case 'kong_unreachable':
      return { kong_unreachable: true };
    case 'target_unhealthy':
      return { target_unhealthy: true };
    case 'observed_ratio':
      return { observed_ratio_threshold: thresholdsDocument(rule) };
  }
}

function burnRateDocument({ severity, longMs, shortMs, factor }: BurnRateWindow): object {
  return { severity, long: formatDuration(longMs), short: formatDuration(shortMs), factor };
}

function thresholdsDocument(rule: {
  readonly thresholds: readonly Threshold[];
  readonly resolveAt: number;
}): object {
  return {
    ...Object.fromEntries(rule.thresholds.map(({ severity, value }) => [severity, value])),
    resolve: rule.resolveAt,
  };
}

function matchDocument({ service, operation, errorType }: ScopeMatch): object {
  return {
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
    ...(errorType === undefined ? {} : { error_type: errorType }),
  };
}
