// The expression by which Prometheus tells the value of an alert, from the metrics of the sidecar. It knows errors by the types that
// usually are some, and upstream times of errors by a status of 5xx: where a service names its own types, or gRPC hides an error in
// a 200, it comes close.
import { formatDuration } from '../config/duration';
import type { Alert } from '../alert/alert';
import { labelsOf } from '../window/scope';

/** `undefined` where no expression tells it. */
export function expressionOf({
  rule,
  scope,
  verdict,
}: Pick<Alert, 'rule' | 'scope' | 'verdict'>): string | undefined {
  const { service, operation, error_type: errorType } = labelsOf(scope);
  const own = { service, operation };
  const burnMs = verdict.windows?.longMs ?? rule.windowMs;
  const sumIn = (rangeMs: number) => (metric: string, labels: string) =>
    `sum(rate(${metric}${labels}[${formatDuration(rangeMs)}]))`;
  const sum = sumIn(rule.kind === 'burn_rate' ? burnMs : rule.windowMs);
  const requests = sum('gatewatch_requests_total', selectorOf(own));
  const errorsOf = selectorOf(own, [`error_type=~"${ERROR_TYPES}"`]);
  // Without one yet there is no series of it.
  const errors = `(${sum('gatewatch_requests_total', errorsOf)} or vector(0))`;
  const samples = `(${sum(`${DURATION}_count`, selectorOf(own, [NO_ERROR_STATUS]))} or vector(0))`;
  const atMost = (ms: number): string =>
    `(${sum(`${DURATION}_bucket`, selectorOf(own, [NO_ERROR_STATUS, bucketOf(ms)]))} or vector(0))`;
  switch (rule.kind) {
    case 'latency': {
      const timed = selectorOf(own, ['status!~"499|502|503"']);
      const buckets = `rate(${DURATION}_bucket${timed}[${formatDuration(rule.windowMs)}])`;
      return `histogram_quantile(${rule.quantile}, sum by (le) (${buckets}))`;
    }
    case 'error_rate': {
      if (errorType === undefined) return `${errors} / ${requests}`;
      return `${sum('gatewatch_requests_total', selectorOf({ ...own, error_type: errorType }))} / ${requests}`;
    }
    case 'burn_rate': {
      const bad =
        rule.latencyMs === undefined ? errors : `(${errors} + ${samples} - ${atMost(rule.latencyMs)})`;
      return `${bad} / ${requests} / (1 - ${rule.objective})`;
    }
    case 'apdex':
      // Buckets hold what the ones below them hold: who was satisfied is in both.
      return `(${atMost(rule.targetMs)} + ${atMost(4 * rule.targetMs)}) / 2 / (${samples} + ${errors})`;
    case 'traffic_drop':
    case 'traffic_absence':
      return requests;
    case 'observed_ratio':
      return 'gatewatch_observed_ratio';
    case 'kong_unreachable':
      return 'gatewatch_kong_up';
    case 'target_unhealthy':
      return 'gatewatch_kong_target_healthy';
  }
}

const DURATION = 'external_request_duration_seconds';

/** The types that have the severity error wherever a service has named none of its own. */
const ERROR_TYPES =
  'upstream_timeout|upstream_unreachable|upstream_server_error|service_unavailable|gateway_error';

const NO_ERROR_STATUS = 'status!~"5.."';

/** Prometheus 3 writes whole bounds with a decimal. */
function bucketOf(ms: number): string {
  const le = String(ms / 1_000);
  return ms % 1_000 === 0 ? `le=~"${le}|${le}.0"` : `le="${le}"`;
}

function selectorOf(labels: Readonly<Record<string, string | undefined>>, others: string[] = []): string {
  const given = Object.entries(labels).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${JSON.stringify(value)}`],
  );
  const all = [...given, ...others];
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}
