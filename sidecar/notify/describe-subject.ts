// What an alert is about, in words: of a rule's kind what is wrong and what is measured, of a scope whom it is about.
// Names come from Kong's entities and may be anything: control and format characters become spaces, length is cut.
import type { Scope } from '../window/scope';
import type { Alert } from '../alert/alert';

const MAX_NAME_LENGTH = 100;

/** One line of a name that may hold anything. */
export function showName(name: string): string {
  const plain = Array.from(name.replace(/[\p{C}\p{Z}]/gu, ' '));
  return plain.length <= MAX_NAME_LENGTH
    ? plain.join('')
    : `${plain.slice(0, MAX_NAME_LENGTH - 1).join('')}…`;
}

/** " (service checkout, cluster eu-1)"; empty where no label has a value. */
export function labelsInBrackets(labels: Readonly<Record<string, string>>): string {
  const words = Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${label} ${showName(value)}`);
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

/** "service slow", "requests without a service", "GET checkout of service shop", "the gateway". */
export function describeScope(scope: Scope): string {
  switch (scope.level) {
    case 'gateway':
      return 'the gateway';
    case 'service':
      return scope.service === '' ? 'requests without a service' : `service ${showName(scope.service)}`;
    case 'operation':
      if (scope.operation === '') return 'requests without a route';
      return `${showName(scope.operation)} of ${describeScope({ level: 'service', service: scope.service })}`;
    case 'error_type':
      return describeScope({ level: 'service', service: scope.service });
    case 'instance':
      return `Kong at ${showName(scope.instance)}`;
    case 'target':
      return `target ${showName(scope.target)} of upstream ${showName(scope.upstream)}`;
  }
}

export interface KindWords {
  /** What is wrong: "High error rate". */
  readonly trouble: string;
  /** What is measured: "error rate"; `undefined` where there is no number. */
  readonly measure: string | undefined;
  /** Where the value is when the rule is breached. */
  readonly side: 'over' | 'under';
}

export function wordsOf({ rule, scope }: Pick<Alert, 'rule' | 'scope'>): KindWords {
  switch (rule.kind) {
    case 'latency': {
      const quantile = describeQuantile(rule.quantile);
      return { trouble: `High ${quantile} latency`, measure: `${quantile} latency`, side: 'over' };
    }
    case 'error_rate': {
      if (scope.level !== 'error_type') {
        return { trouble: 'High error rate', measure: 'error rate', side: 'over' };
      }
      const type = showName(scope.errorType);
      return { trouble: `High rate of ${type}`, measure: `rate of ${type}`, side: 'over' };
    }
    case 'apdex':
      return { trouble: 'Low Apdex', measure: 'Apdex', side: 'under' };
    case 'traffic_drop':
      return { trouble: 'Traffic dropped', measure: 'loss of traffic', side: 'over' };
    case 'traffic_absence':
      return { trouble: 'No traffic', measure: undefined, side: 'under' };
    case 'burn_rate':
      return { trouble: 'Error budget burns too fast', measure: 'burn rate', side: 'over' };
    case 'kong_unreachable':
      return { trouble: 'Kong does not answer', measure: undefined, side: 'over' };
    case 'target_unhealthy':
      return { trouble: 'No healthy address', measure: undefined, side: 'over' };
    case 'observed_ratio':
      return { trouble: 'Requests go uncounted', measure: 'counted share of requests', side: 'under' };
  }
}

/** 0.95 -> "p95", 0.999 -> "p99.9" */
export function describeQuantile(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(4))}`;
}
