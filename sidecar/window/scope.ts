// What an alert is about. Its labels are the same words as in the metrics.
import type { ScopeMatch } from '../config/rule';

export type Scope =
  | { readonly level: 'gateway' }
  /** Kong's service; empty for requests without one. */
  | { readonly level: 'service'; readonly service: string }
  | { readonly level: 'operation'; readonly service: string; readonly operation: string }
  | { readonly level: 'error_type'; readonly service: string; readonly errorType: string }
  /** One Kong, by host and port of its status address. */
  | { readonly level: 'instance'; readonly instance: string }
  /** One target of an upstream of Kong, as one Kong sees it. */
  | {
      readonly level: 'target';
      readonly instance: string;
      readonly upstream: string;
      readonly target: string;
    };

export const GATEWAY: Scope = { level: 'gateway' };

export const SCOPE_LABELS = ['service', 'operation', 'error_type', 'instance', 'upstream', 'target'] as const;

export type ScopeLabel = (typeof SCOPE_LABELS)[number];

export type ScopeLabels = Readonly<Partial<Record<ScopeLabel, string>>>;

/** Those that the scope has; a service without a name has an empty one. */
export function labelsOf(scope: Scope): ScopeLabels {
  switch (scope.level) {
    case 'gateway':
      return {};
    case 'service':
      return { service: scope.service };
    case 'operation':
      return { service: scope.service, operation: scope.operation };
    case 'error_type':
      return { service: scope.service, error_type: scope.errorType };
    case 'instance':
      return { instance: scope.instance };
    case 'target':
      return { instance: scope.instance, upstream: scope.upstream, target: scope.target };
  }
}

/** One text for one scope. JSON, because a name may hold any character. */
export function scopeKey(scope: Scope): string {
  return JSON.stringify([scope.level, ...Object.values(labelsOf(scope))]);
}

/** Whether a scope has the labels that are asked for. */
export function matchesScope(match: ScopeMatch, scope: Scope): boolean {
  const labels = labelsOf(scope);
  return (
    (match.service === undefined || match.service === labels.service) &&
    (match.operation === undefined || match.operation === labels.operation) &&
    (match.errorType === undefined || match.errorType === labels.error_type)
  );
}
