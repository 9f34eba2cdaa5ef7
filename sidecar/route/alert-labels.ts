// The labels by which people group, match and silence alerts.
import type { Alert } from '../alert/alert';
import type { AlertLabel, AlertLabels } from '../config/notification-policy';
import { labelsOf } from '../window/scope';

export function alertLabels({
  rule,
  scope,
  severity,
}: Pick<Alert, 'rule' | 'scope' | 'severity'>): AlertLabels {
  const own = labelsOf(scope);
  return {
    rule: rule.name,
    kind: rule.kind,
    level: scope.level,
    severity,
    service: own.service ?? '',
    operation: own.operation ?? '',
    error_type: own.error_type ?? '',
    instance: own.instance ?? '',
    upstream: own.upstream ?? '',
    target: own.target ?? '',
  };
}

/** One text for these values of these labels. JSON, because a value may hold any character. */
export function labelsKey(labels: AlertLabels, names: readonly AlertLabel[]): string {
  return JSON.stringify(names.map((name) => labels[name]));
}
