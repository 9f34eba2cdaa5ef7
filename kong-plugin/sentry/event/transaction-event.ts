// From one request to the transaction that Sentry shows in its trace: the request itself, and below it the gateway's own time,
// each try of an upstream and the receiving of the body, at their true times. The upstream does not know these spans: what was
// sent to it was sent before they existed, so its own transaction stands beside this one, below the same parent.
//
// Names are those of Sentry's conventions (@sentry/conventions 0.24.0, that @sentry/core 11.1.0 uses): op `http.server`,
// `http.client`, `http.client.stream` and `middleware`, origin `auto.http.gatewatch`, and for attributes the name that
// OpenTelemetry has, where it has one.
import type { SpanJSON, TransactionEvent } from '@sentry/core';
import type { Observation } from '../../observation';
import { eventTags, transactionName } from './event-tags';
import { userOf } from './issue-event';
import type { RequestFacts, UpstreamTry } from './request-facts';
import { requestTimeline, type TimelinePart } from './request-timeline';
import { childSpanId, traceIdentity, type RequestTrace } from './request-trace';
import { samplingContext, type EventOrigin } from './sampling-context';
import { requestStatus, tryStatus } from './span-status';
import { targetAddress } from '../../target-address';
import type { TraceSample } from '../decide/trace-sampling';

export interface TransactionInput {
  readonly observation: Observation;
  readonly facts: RequestFacts;
  readonly trace: RequestTrace;
  readonly origin: EventOrigin;
  /** One that is sampled. */
  readonly sample: TraceSample;
  /** Unix ms. */
  readonly nowMs: number;
}

const ORIGIN = 'auto.http.gatewatch';

type Attributes = Record<string, string | number | boolean>;

/** Pure. The spans lie within the transaction and follow each other. */
export function transactionEvent(input: TransactionInput): TransactionEvent {
  const { observation, facts, trace } = input;
  const transaction = transactionName(observation);
  const timeline = requestTimeline(facts, observation, input.nowMs);
  const context = samplingContext(trace, input.origin, transaction, input.sample);
  const user = userOf(facts);
  return {
    type: 'transaction',
    transaction,
    transaction_info: { source: 'route' },
    platform: 'other',
    start_timestamp: timeline.startMs / 1_000,
    timestamp: timeline.endMs / 1_000,
    tags: eventTags(observation, facts),
    ...(user && { user }),
    contexts: {
      trace: {
        ...traceIdentity(trace),
        op: 'http.server',
        origin: ORIGIN,
        status: requestStatus(observation, facts),
        data: known({
          'sentry.op': 'http.server',
          'sentry.origin': ORIGIN,
          'sentry.sample_rate': input.sample.rate,
          ...requestAttributes(observation, facts),
        }),
      },
    },
    spans: timeline.parts.map((part, index) => spanOf(part, index + 1, input)),
    ...(context && { sdkProcessingMetadata: { dynamicSamplingContext: context } }),
  };
}

function requestAttributes(
  { upstreamMs, gatewayMs, status }: Observation,
  facts: RequestFacts,
): Record<string, string | number | undefined> {
  return {
    'http.request.method': facts.method,
    'http.response.status_code': status === 0 ? undefined : status,
    'rpc.grpc.status_code': facts.grpcStatus,
    'http.request.size': facts.requestBytes,
    'http.response.size': facts.responseBytes,
    'url.path': facts.personal?.path,
    'http.request.body.size': facts.personal?.declaredBodyBytes,
    'kong.request_id': facts.requestId,
    'kong.service': facts.service.name,
    'kong.route': facts.route.name ?? facts.route.id,
    'gatewatch.upstream_ms': upstreamMs,
    'gatewatch.gateway_ms': gatewayMs,
    'gatewatch.tries_left_out': facts.triesLeftOut === 0 ? undefined : facts.triesLeftOut,
  };
}

/** @param number of the child, from 1 */
function spanOf(part: TimelinePart, number: number, input: TransactionInput): SpanJSON {
  const { trace } = input;
  const { op, description, status, data } = describe(part, input);
  return {
    trace_id: trace.traceId,
    span_id: childSpanId(trace, number),
    parent_span_id: trace.spanId,
    op,
    origin: ORIGIN,
    description,
    status,
    start_timestamp: part.startMs / 1_000,
    timestamp: part.endMs / 1_000,
    data: known({ 'sentry.op': op, 'sentry.origin': ORIGIN, ...data }),
  };
}

type Description = Pick<SpanJSON, 'status' | 'data'> & { readonly op: string; readonly description: string };

function describe(part: TimelinePart, { observation, facts }: TransactionInput): Description {
  switch (part.kind) {
    case 'gateway':
      return { op: 'middleware', description: 'Kong, before the upstream', status: 'ok', data: {} };
    case 'response_body':
      return { op: 'http.client.stream', description: 'Receiving the body', status: 'ok', data: {} };
    case 'upstream_try':
      return describeTry(part.upstreamTry, observation, facts);
  }
}

function describeTry(upstreamTry: UpstreamTry, observation: Observation, facts: RequestFacts): Description {
  const isLast = upstreamTry.number === facts.tries.length + facts.triesLeftOut;
  const answered = isLast && !upstreamTry.failed && observation.errorType !== 'client_closed_request';
  const address = targetAddress(upstreamTry) ?? facts.service.host ?? 'the upstream';
  return {
    op: 'http.client',
    description: `${facts.method} ${address}`,
    status: tryStatus(upstreamTry, isLast, observation, facts),
    data: {
      'http.request.method': facts.method,
      'http.response.status_code': answered && observation.status > 0 ? observation.status : undefined,
      'http.request.resend_count': upstreamTry.number === 1 ? undefined : upstreamTry.number - 1,
      'server.address': facts.service.host ?? upstreamTry.ip,
      'server.port': facts.service.port ?? upstreamTry.port,
      'network.peer.address': upstreamTry.ip,
      'network.peer.port': upstreamTry.port,
      'kong.try': upstreamTry.number,
      'kong.try.failed_code': upstreamTry.failed ? upstreamTry.code : undefined,
    },
  };
}

function known(fields: Readonly<Record<string, unknown>>): Attributes {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Attributes;
}
