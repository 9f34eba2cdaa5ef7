// From a rule as it stands in gatewatch.yml to the rule that is judged, with every default filled in. What does not go together
// was refused before (rule-checks.ts).
import { SEVERITIES, type Severity, severityRank } from '../../kong-plugin/contract/severity';
import { SRE_BURN_RATE_WINDOWS } from './burn-rate-windows';
import {
  DEFAULTS_OF,
  DEFAULT_APDEX_TARGET_MS,
  DEFAULT_CONFIDENCE,
  DEFAULT_QUANTILE,
  MOST_DEFAULT_KEEP_FIRING_FOR_MS,
} from './default-config';
import type { BurnRateWindow, Rule, RuleKind, ScopeLevel, ScopeMatch, Threshold } from './rule';
import {
  KINDS,
  KIND_KEYS,
  type OverrideDocument,
  type RuleDocument,
  type ThresholdsDocument,
} from './rule-shape';

type JudgedDocument = Omit<RuleDocument, 'overrides'>;

/** An override has all that its rule has and it does not say itself. */
export function ruleOf({ overrides, ...document }: RuleDocument): Rule {
  const rule = withoutOverrides(document);
  return {
    ...rule,
    overrides: overrides.map((override) => ({
      match: matchOf(override.match),
      rule: override.disabled ? undefined : withoutOverrides(mergeOf(document, override)),
    })),
  };
}

function mergeOf(document: JudgedDocument, override: OverrideDocument): JudgedDocument {
  return { ...document, ...override, match: { ...document.match, ...override.match } };
}

/** The kind by the key that a rule has. */
export function kindOf(document: object): RuleKind | undefined {
  const key = KIND_KEYS.find((name) => name in document);
  return key && KINDS[key];
}

function withoutOverrides(document: JudgedDocument): Rule {
  const kind = kindOf(document) ?? 'error_rate';
  const defaults = DEFAULTS_OF[kind];
  const severity = document.severity ?? defaults.severity;
  const forMs = document.for ?? defaults.forMs;
  const base = {
    name: document.name,
    each: levelOf(kind, document),
    match: matchOf(document.match ?? {}),
    windowMs: document.window ?? defaults.windowMs,
    forMs,
    keepFiringForMs: document.keep_firing_for ?? Math.min(forMs, MOST_DEFAULT_KEEP_FIRING_FOR_MS),
    runbookUrl: document.runbook_url || undefined,
    overrides: [],
  };
  const sampled = {
    confidence: document.confidence === 'off' ? undefined : (document.confidence ?? DEFAULT_CONFIDENCE),
    minimumRequests: document.minimum_requests ?? defaults.minimumRequests,
  };
  const baselineMs = document.baseline ?? defaults.baselineMs;
  switch (kind) {
    case 'latency': {
      const quantile = document.p95_latency_ms === undefined ? (document.quantile ?? DEFAULT_QUANTILE) : 0.95;
      const given = document.p95_latency_ms ?? document.latency_ms;
      return { ...base, ...sampled, kind, quantile, ...thresholdsOf(given, severity, 'over') };
    }
    case 'error_rate':
      return {
        ...base,
        ...sampled,
        kind,
        ...thresholdsOf(document.error_rate_threshold, severity, 'over'),
      };
    case 'apdex': {
      const targetMs = document.apdex_target_ms ?? DEFAULT_APDEX_TARGET_MS;
      return {
        ...base,
        ...sampled,
        kind,
        targetMs,
        ...thresholdsOf(document.apdex_threshold, severity, 'under'),
      };
    }
    case 'traffic_drop':
      return {
        ...base,
        ...sampled,
        kind,
        baselineMs,
        ...thresholdsOf(document.traffic_drop_threshold, severity, 'over'),
      };
    case 'traffic_absence':
      return { ...base, kind, severity, baselineMs, minimumRequests: sampled.minimumRequests };
    case 'burn_rate': {
      const windows = burnRatesOf(document);
      const windowMs = Math.max(...windows.map(({ longMs }) => longMs));
      const objective = document.slo_objective ?? Number.NaN;
      return { ...base, ...sampled, windowMs, kind, objective, latencyMs: document.slo_latency_ms, windows };
    }
    case 'kong_unreachable':
    case 'target_unhealthy':
      return { ...base, kind, severity };
    case 'observed_ratio':
      return {
        ...base,
        ...sampled,
        kind,
        ...thresholdsOf(document.observed_ratio_threshold, severity, 'under'),
      };
  }
}

function levelOf(kind: RuleKind, { each }: JudgedDocument): ScopeLevel {
  if (kind === 'kong_unreachable') return each ?? 'instance';
  if (kind === 'target_unhealthy') return 'target';
  if (kind === 'observed_ratio') return 'gateway';
  return each ?? 'service';
}

function matchOf(match: NonNullable<JudgedDocument['match']>): ScopeMatch {
  return {
    ...(match.service === undefined ? {} : { service: match.service }),
    ...(match.operation === undefined ? {} : { operation: match.operation }),
    ...(match.error_type === undefined ? {} : { errorType: match.error_type }),
  };
}

/** The most severe first. */
function burnRatesOf({ burn_rates: given }: JudgedDocument): readonly BurnRateWindow[] {
  if (given === undefined) return SRE_BURN_RATE_WINDOWS;
  return given
    .map(({ severity, long, short, factor }) => ({ severity, longMs: long, shortMs: short, factor }))
    .sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

/** The mildest first; without a `resolve` an alert resolves at the mildest. */
function thresholdsOf(
  given: ThresholdsDocument | undefined,
  severity: Severity,
  side: 'over' | 'under',
): { thresholds: readonly Threshold[]; resolveAt: number } {
  const each: ThresholdsDocument = given ?? Number.NaN;
  if (typeof each === 'number') return { thresholds: [{ severity, value: each }], resolveAt: each };
  const thresholds = SEVERITIES.flatMap((name) => {
    const value = each[name];
    return value === undefined ? [] : [{ severity: name, value }];
  });
  const mildest = thresholds[0]?.value ?? (side === 'over' ? Infinity : -Infinity);
  return { thresholds, resolveAt: each.resolve ?? mildest };
}
