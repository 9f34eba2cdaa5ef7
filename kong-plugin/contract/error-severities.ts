// How bad each built-in error type is. Batches carry the severity; metrics carry only the type, and who reads them looks here.
import type { Severity } from './severity';

/** Built-in error types and their severities. */
export const ERROR_SEVERITIES = {
  client_closed_request: 'warning',
  upstream_timeout: 'error',
  upstream_unreachable: 'error',
  upstream_server_error: 'error',
  upstream_client_error: 'warning',
  service_unavailable: 'error',
  gateway_error: 'error',
  route_not_found: 'warning',
  unauthorized: 'warning',
  forbidden: 'warning',
  rate_limited: 'warning',
  request_rejected: 'warning',
} as const satisfies Record<string, Severity>;

export type BuiltInErrorType = keyof typeof ERROR_SEVERITIES;
