// Rules as the configuration gives them, each with the mission's threshold.
import type { ApdexRule, ErrorRateRule, P95LatencyRule } from '../../sidecar/config/config';

const BASE = { windowMs: 60_000, forMs: 0, minimumRequests: 1, severity: 'critical' } as const;

export function p95Rule(changes: Partial<P95LatencyRule> = {}): P95LatencyRule {
  return { ...BASE, name: 'slow', kind: 'p95_latency', p95LatencyMs: 500, ...changes };
}

export function errorRateRule(changes: Partial<ErrorRateRule> = {}): ErrorRateRule {
  return { ...BASE, name: 'errors', kind: 'error_rate', errorRateThreshold: 0.01, ...changes };
}

export function apdexRule(changes: Partial<ApdexRule> = {}): ApdexRule {
  return { ...BASE, name: 'apdex', kind: 'apdex', apdexThreshold: 0.95, apdexTargetMs: 250, ...changes };
}
