// What must go together within one rule of gatewatch.yml, and within its overrides. Looks at the values as they stand in the file.
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { DEFAULTS_OF, DEFAULT_EVALUATION_INTERVAL_MS, DEFAULT_KONG } from './default-config';
import { formatDuration, parseDuration } from './duration';
import { isMap, listOf, type PlacedFault } from './placed-fault';
import { longestObservedMs } from './observed-span';
import type { Path } from './document-places';
import { MINUTE_MS } from './fields';
import { KINDS, KIND_KEYS, MOST_FINE_WINDOW_MS, type KindKey } from './rule-shape';
import type { RuleKind } from './rule';

/** The keys that only some kinds have. */
const KINDS_WITH: Readonly<Record<string, readonly RuleKind[]>> = {
  quantile: ['latency'],
  apdex_target_ms: ['apdex'],
  baseline: ['traffic_drop', 'traffic_absence'],
  slo_latency_ms: ['burn_rate'],
  burn_rates: ['burn_rate'],
  window: ['latency', 'error_rate', 'apdex', 'traffic_drop', 'traffic_absence', 'observed_ratio'],
  confidence: ['latency', 'error_rate', 'apdex', 'traffic_drop', 'burn_rate', 'observed_ratio'],
  minimum_requests: [
    'latency',
    'error_rate',
    'apdex',
    'traffic_drop',
    'traffic_absence',
    'burn_rate',
    'observed_ratio',
  ],
  severity: [
    'latency',
    'error_rate',
    'apdex',
    'traffic_drop',
    'traffic_absence',
    'kong_unreachable',
    'target_unhealthy',
    'observed_ratio',
  ],
  each: [
    'latency',
    'error_rate',
    'apdex',
    'traffic_drop',
    'traffic_absence',
    'burn_rate',
    'kong_unreachable',
  ],
  match: ['latency', 'error_rate', 'apdex', 'traffic_drop', 'traffic_absence', 'burn_rate'],
  overrides: ['latency', 'error_rate', 'apdex', 'traffic_drop', 'traffic_absence', 'burn_rate'],
};

/** The labels that a scope of each level has. */
const LABELS_OF: Readonly<Record<string, readonly string[]>> = {
  gateway: [],
  service: ['service'],
  operation: ['service', 'operation'],
  error_type: ['service', 'error_type'],
};

/** On which side of a threshold a breach lies. */
const BREACHED_UNDER: readonly string[] = ['apdex_threshold', 'observed_ratio_threshold'];

export function checkRules(config: Record<string, unknown>): PlacedFault[] {
  return listOf(config['rules']).flatMap((rule, index) => checkRule(rule, ['rules', index], config));
}

function checkRule(rule: unknown, path: Path, config: Record<string, unknown>): PlacedFault[] {
  if (!isMap(rule)) return [];
  const keys = KIND_KEYS.filter((key) => key in rule);
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    const found = key === undefined ? 'none' : keys.join(' and ');
    return [{ path, expected: `one of ${KIND_KEYS.join(', ')}`, found }];
  }
  const overrides = listOf(rule['overrides']);
  return [
    ...checkJudged(rule, {}, key, path, config),
    ...checkMatch(rule['match'], rule, [...path, 'match']),
    ...overrides.flatMap((override, index) =>
      checkOverride(override, rule, key, [...path, 'overrides', index], config),
    ),
  ];
}

function checkOverride(
  override: unknown,
  rule: Record<string, unknown>,
  key: KindKey,
  path: Path,
  config: Record<string, unknown>,
): PlacedFault[] {
  if (!isMap(override)) return [];
  const others = KIND_KEYS.filter((other) => other in override && other !== key);
  if (others.length > 0) {
    return [{ path, expected: `no other kind than that of the rule, ${key}`, found: others.join(' and ') }];
  }
  const match = override['match'];
  const isForAll = isMap(match) && Object.keys(match).length === 0;
  return [
    ...(isForAll
      ? [
          {
            path: [...path, 'match'],
            expected: 'at least one label, such as `service: checkout`',
            found: 'none',
          },
        ]
      : []),
    ...checkMatch(match, rule, [...path, 'match']),
    ...checkJudged(override, rule, key, path, config),
  ];
}

function checkMatch(match: unknown, rule: Record<string, unknown>, path: Path): PlacedFault[] {
  const each = rule['each'] ?? 'service';
  if (!isMap(match) || typeof each !== 'string' || !Object.hasOwn(LABELS_OF, each)) return [];
  const labels = LABELS_OF[each] ?? [];
  return Object.keys(match)
    .filter((label) => !labels.includes(label) && ['service', 'operation', 'error_type'].includes(label))
    .map((label) => ({
      path: [...path, label],
      expected:
        labels.length === 0
          ? `no label, since each is ${each}`
          : `only ${labels.join(' and ')}, since each is ${each}`,
      found: label,
    }));
}

/** What a rule has beside its kind, and an override in its place. @param base what an override has of its rule */
function checkJudged(
  judged: Record<string, unknown>,
  base: Record<string, unknown>,
  key: KindKey,
  path: Path,
  config: Record<string, unknown>,
): PlacedFault[] {
  const kind = KINDS[key];
  const strange = Object.entries(KINDS_WITH)
    .filter(([name, kinds]) => name in judged && !kinds.includes(kind))
    .map(([name, kinds]) => ({
      path: [...path, name],
      expected: `${name} only beside ${KIND_KEYS.filter((other) => kinds.includes(KINDS[other])).join(' or ')}`,
      found: key,
    }));
  if (strange.length > 0) return strange;
  if (key === 'p95_latency_ms' && 'quantile' in judged) {
    return [{ path: [...path, 'quantile'], expected: 'quantile only beside latency_ms', found: key }];
  }
  const each = judged['each'];
  if (kind === 'kong_unreachable' && each !== undefined && each !== 'gateway' && each !== 'instance') {
    return [{ path: [...path, 'each'], expected: 'each: gateway or instance', found: JSON.stringify(each) }];
  }
  if (
    (each === 'error_type' && kind !== 'error_rate') ||
    (each === 'instance' && kind !== 'kong_unreachable')
  ) {
    const only = each === 'instance' ? 'kong_unreachable' : 'error_rate_threshold';
    return [{ path: [...path, 'each'], expected: `each: ${each} only beside ${only}`, found: key }];
  }
  return [
    ...checkThresholds(judged, base, key, path),
    ...checkWindow(judged, kind, path, config),
    ...checkBaseline(judged, base, kind, path),
    ...checkBurnRates(judged['burn_rates'], [...path, 'burn_rates'], config),
  ];
}

/** A worse severity is for a worse value, and an alert resolves on the good side of all. */
function checkThresholds(
  judged: Record<string, unknown>,
  base: Record<string, unknown>,
  key: KindKey,
  path: Path,
): PlacedFault[] {
  const besideSeverity = isMap(judged[key] ?? base[key]) ? severityFaults(judged, key, path) : [];
  const thresholds = judged[key];
  if (!isMap(thresholds)) return besideSeverity;
  const side = BREACHED_UNDER.includes(key) ? -1 : 1;
  const given = SEVERITIES.filter((severity) => severity in thresholds);
  if (given.length === 0 && Object.keys(thresholds).every((name) => name === 'resolve')) {
    return [{ path: [...path, key], expected: `at least one of ${SEVERITIES.join(', ')}`, found: 'none' }];
  }
  if (besideSeverity.length > 0) return besideSeverity;
  const order = ['resolve', ...given].filter((name) => typeof thresholds[name] === 'number');
  return order.slice(1).flatMap((name, index) => {
    const before = order[index] ?? '';
    const value = Number(thresholds[name]);
    const distance = side * (value - Number(thresholds[before]));
    // An alert may resolve at its threshold.
    if (distance > 0 || (before === 'resolve' && distance === 0)) return [];
    const word = side > 0 ? 'over' : 'under';
    const expected = `a value ${word} that of ${before}, ${String(thresholds[before])}`;
    return [{ path: [...path, key, name], expected, found: String(value) }];
  });
}

/** Where thresholds have their own, one beside them would have no effect. */
function severityFaults(judged: Record<string, unknown>, key: KindKey, path: Path): PlacedFault[] {
  if (judged['severity'] === undefined) return [];
  const expected = `no severity beside one in ${key}`;
  return [{ path: [...path, 'severity'], expected, found: JSON.stringify(judged['severity']) }];
}

/** A window shorter than a round would leave requests that no round looks at. */
function checkWindow(
  judged: Record<string, unknown>,
  kind: RuleKind,
  path: Path,
  config: Record<string, unknown>,
): PlacedFault[] {
  const windowMs = durationOf(judged['window']);
  if (windowMs === undefined) return [];
  const found = JSON.stringify(judged['window']);
  const at = [...path, 'window'];
  if (windowMs < evaluationIntervalMs(config)) return [{ path: at, expected: AS_LONG_AS_A_ROUND, found }];
  if (kind === 'latency' && windowMs > MOST_FINE_WINDOW_MS) {
    return [{ path: at, expected: `a window of at most ${formatDuration(MOST_FINE_WINDOW_MS)}`, found }];
  }
  const kongMs = kongIntervalMs(config);
  if (kind === 'observed_ratio' && windowMs > longestObservedMs(kongMs)) {
    const most = formatDuration(Math.floor(longestObservedMs(kongMs) / MINUTE_MS) * MINUTE_MS);
    const expected = `a window of at most ${most}, for which Kong's counters are kept at a kong.interval of ${formatDuration(kongMs)}`;
    return [{ path: at, expected, found }];
  }
  return [];
}

/** An override may give one of the two, and has the other of its rule. */
function checkBaseline(
  judged: Record<string, unknown>,
  base: Record<string, unknown>,
  kind: RuleKind,
  path: Path,
): PlacedFault[] {
  if (kind !== 'traffic_drop' && kind !== 'traffic_absence') return [];
  const { windowMs: usualWindowMs, baselineMs: usualBaselineMs } = DEFAULTS_OF[kind];
  const windowMs = durationOf(judged['window'] ?? base['window']) ?? usualWindowMs;
  const baselineMs = durationOf(judged['baseline'] ?? base['baseline']) ?? usualBaselineMs;
  if (baselineMs >= windowMs) return [];
  const faultAt = (key: 'window' | 'baseline', expected: string): PlacedFault[] =>
    judged[key] === undefined ? [] : [{ path: [...path, key], expected, found: JSON.stringify(judged[key]) }];
  const ofWindow = faultAt('window', `a window of at most the baseline, ${formatDuration(baselineMs)}`);
  return ofWindow.length > 0
    ? ofWindow
    : faultAt('baseline', `a baseline as long as the window, ${formatDuration(windowMs)}, or longer`);
}

function checkBurnRates(burnRates: unknown, path: Path, config: Record<string, unknown>): PlacedFault[] {
  return listOf(burnRates).flatMap((row, index) => {
    if (!isMap(row)) return [];
    const [longMs, shortMs] = [durationOf(row['long']), durationOf(row['short'])];
    if (shortMs === undefined) return [];
    const at = { path: [...path, index, 'short'], found: JSON.stringify(row['short']) };
    if (longMs !== undefined && shortMs >= longMs) return [{ ...at, expected: 'a window shorter than long' }];
    if (shortMs < evaluationIntervalMs(config)) return [{ ...at, expected: AS_LONG_AS_A_ROUND }];
    return [];
  });
}

const AS_LONG_AS_A_ROUND = 'a window as long as the evaluation_interval or longer';

function evaluationIntervalMs(config: Record<string, unknown>): number {
  return durationOf(config['evaluation_interval']) ?? DEFAULT_EVALUATION_INTERVAL_MS;
}

function kongIntervalMs({ kong }: Record<string, unknown>): number {
  return (isMap(kong) ? durationOf(kong['interval']) : undefined) ?? DEFAULT_KONG.intervalMs;
}

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined;
}
