// From a Kong log to what went wrong, who caused it and how bad it is. The first row that matches wins; a service's own
// names come before the rows that judge its answers, and never rename a failure to reach it.
import { ERROR_SEVERITIES, type BuiltInErrorType } from './contract/error-severities';
import type { Severity } from './contract/severity';
import type { Source } from './contract/source';
import { reachedUpstream } from './fair-times';
import type { KongLog } from './kong-log';

export interface Outcome {
  /** Empty: no error. */
  errorType: string;
  source: Source;
  severity: Severity;
}

/** A service's own name for one of its own statuses. */
export interface NamedStatus {
  /** Kong's service name; `undefined` names the status of every service. */
  service: string | undefined;
  status: number;
  errorType: string;
  severity: Severity;
}

/** gRPC codes that are the server's fault: UNKNOWN, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const GRPC_SERVER_FAULTS = new Set([2, 13, 14, 15]);
const GRPC_DEADLINE_EXCEEDED = 4;

export function classify(log: KongLog, namedStatuses: readonly NamedStatus[] = []): Outcome {
  const status = log.status ?? 0;
  const proxied = reachedUpstream(log);
  const abortedUpload = (status === 400 || status === 408) && log.source === 'upstream' && !proxied;
  if (status === 499 || abortedUpload) return outcome('client_closed_request', 'client');
  if (!proxied) return answeredByGateway(status);

  const lastTry = log.tries?.at(-1);
  if (lastTry?.failed) {
    return outcome(lastTry.code === 504 ? 'upstream_timeout' : 'upstream_unreachable', 'upstream');
  }
  const named = nameOf(log, status, namedStatuses);
  if (named) return { errorType: named.errorType, source: 'upstream', severity: named.severity };
  if (status >= 500) return outcome('upstream_server_error', 'upstream');
  if (status >= 400) return outcome('upstream_client_error', 'upstream');
  return log.grpcStatus
    ? grpcOutcome(log.grpcStatus)
    : { errorType: '', source: 'upstream', severity: 'info' };
}

function answeredByGateway(status: number): Outcome {
  if (status === 503) return outcome('service_unavailable', 'gateway');
  if (status >= 500) return outcome('gateway_error', 'gateway');
  if (status === 404) return outcome('route_not_found', 'client');
  if (status === 401) return outcome('unauthorized', 'client');
  if (status === 403) return outcome('forbidden', 'client');
  if (status === 429) return outcome('rate_limited', 'client');
  if (status >= 400) return outcome('request_rejected', 'client');
  return { errorType: '', source: 'gateway', severity: 'info' };
}

function grpcOutcome(grpcStatus: number): Outcome {
  if (grpcStatus === GRPC_DEADLINE_EXCEEDED) return outcome('upstream_timeout', 'upstream');
  if (GRPC_SERVER_FAULTS.has(grpcStatus)) return outcome('upstream_server_error', 'upstream');
  return outcome('upstream_client_error', 'upstream');
}

function nameOf(log: KongLog, status: number, named: readonly NamedStatus[]): NamedStatus | undefined {
  const service = log.service.name ?? log.service.host;
  return (
    named.find((row) => row.status === status && row.service !== undefined && row.service === service) ??
    named.find((row) => row.status === status && row.service === undefined)
  );
}

function outcome(errorType: BuiltInErrorType, source: Source): Outcome {
  return { errorType, source, severity: ERROR_SEVERITIES[errorType] };
}
