// How a request or one try ended, in the words that Sentry has for it (`SPAN_STATUS_TYPES` of @sentry/core 11.1.0).
import type { SpanStatusType } from '@sentry/core';
import type { Observation } from '../../observation';
import type { RequestFacts, UpstreamTry } from './request-facts';

/** As `getSpanStatusFromHttpCode` of @sentry/core 11.1.0 has them, and 502; another 4xx and 5xx have one each. */
const OF_HTTP: Readonly<Record<number, SpanStatusType>> = {
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'not_found',
  409: 'already_exists',
  413: 'failed_precondition',
  429: 'resource_exhausted',
  499: 'cancelled',
  501: 'unimplemented',
  // Of a gateway: there was no upstream to be had.
  502: 'unavailable',
  503: 'unavailable',
  504: 'deadline_exceeded',
};

/** By the code, 0 to 16 (https://grpc.io/docs/guides/status-codes/). */
const OF_GRPC: readonly SpanStatusType[] = [
  'ok',
  'cancelled',
  'unknown_error',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal_error',
  'unavailable',
  'data_loss',
  'unauthenticated',
];

export function requestStatus(observation: Observation, facts: RequestFacts): SpanStatusType {
  if (observation.errorType === 'client_closed_request') return 'cancelled';
  const grpcStatus = facts.grpcStatus === undefined ? undefined : OF_GRPC[facts.grpcStatus];
  return observation.status === 200 && grpcStatus !== undefined ? grpcStatus : httpStatus(observation.status);
}

/** @param isLast only the last try's answer became that of the request */
export function tryStatus(
  upstreamTry: UpstreamTry,
  isLast: boolean,
  observation: Observation,
  facts: RequestFacts,
): SpanStatusType {
  if (upstreamTry.failed) return upstreamTry.code === 504 ? 'deadline_exceeded' : 'unavailable';
  return isLast ? requestStatus(observation, facts) : 'unknown_error';
}

function httpStatus(status: number): SpanStatusType {
  if (status < 100) return 'unknown_error';
  if (status < 400) return 'ok';
  return OF_HTTP[status] ?? (status < 500 ? 'invalid_argument' : 'internal_error');
}
