// From one request with an error to the event that Sentry makes an issue of. Everything in it comes from the observation and
// from the allow-list of `readRequestFacts`. There is no stack: nothing was thrown here. The name of the machine is not in it.
import type { ErrorEvent, Event } from '@sentry/core';
import { SENTRY_LEVEL_OF } from '../../contract/sentry-level';
import type { Observation } from '../../observation';
import type { Rewrite } from '../decide/before-send';
import { eventTags, transactionName } from './event-tags';
import type { HeldBack } from '../decide/held-back';
import { heldBackSentence, issueSentence } from './issue-sentence';
import type { RequestFacts, UpstreamTry } from './request-facts';
import { requestPeriod } from './request-timeline';
import { traceIdentity, type RequestTrace } from './request-trace';
import { samplingContext, type EventOrigin } from './sampling-context';
import { requestStatus } from './span-status';
import type { TraceSample } from '../decide/trace-sampling';
import { targetAddress } from '../../target-address';

export interface IssueInput {
  /** One with an error type. */
  readonly observation: Observation;
  readonly facts: RequestFacts;
  readonly trace: RequestTrace;
  readonly origin: EventOrigin;
  /** Of the request's transaction; `undefined`: no traces are sent. */
  readonly sample: TraceSample | undefined;
  /** Rendered. */
  readonly fingerprint: readonly string[];
  readonly rewrite: Pick<Rewrite, 'level' | 'tags'> | undefined;
  readonly heldBack: HeldBack;
  /** Unix ms. */
  readonly nowMs: number;
}

/**
 * Pure. Sentry shows `transaction` as the culprit (`get_culprit` in Sentry's src/sentry/event_manager.py), and the exception's
 * type and value as title and subtitle. The platform is `other`: for `javascript` Sentry would infer the user's address.
 */
export function issueEvent(input: IssueInput): ErrorEvent {
  const { observation, facts, trace, rewrite, heldBack } = input;
  const transaction = transactionName(observation);
  const context = samplingContext(trace, input.origin, transaction, input.sample);
  const user = userOf(facts);
  const sentences = [issueSentence(observation, facts), heldBackSentence(heldBack)];
  return {
    type: undefined,
    timestamp: requestPeriod(facts, input.nowMs).endMs / 1_000,
    platform: 'other',
    logger: 'gatewatch',
    level: rewrite?.level ?? SENTRY_LEVEL_OF[observation.severity],
    transaction,
    fingerprint: [...input.fingerprint],
    exception: {
      values: [
        {
          type: observation.errorType,
          value: sentences.filter((sentence) => sentence !== '').join('\n'),
          mechanism: { type: 'generic', handled: true },
        },
      ],
    },
    tags: eventTags(observation, facts, rewrite?.tags),
    ...(user && { user }),
    contexts: {
      trace: {
        ...traceIdentity(trace),
        op: 'http.server',
        status: requestStatus(observation, facts),
      },
      ...contextsOf(observation, facts, heldBack),
    },
    ...(context && { sdkProcessingMetadata: { dynamicSamplingContext: context } }),
  };
}

/** Only with personal data. */
export function userOf({ personal }: RequestFacts): NonNullable<Event['user']> | undefined {
  const user = known({ id: personal?.consumerId, ip_address: personal?.clientAddress });
  return Object.keys(user).length === 0 ? undefined : user;
}

type FlatContext = Record<string, string | number | boolean>;

/** Flat: Sentry shows a field of a context in one line. */
function contextsOf(
  observation: Observation,
  facts: RequestFacts,
  heldBack: HeldBack,
): Record<string, FlatContext> {
  const { latencies, service, route, personal } = facts;
  const contexts = {
    request: known({
      id: facts.requestId,
      method: facts.method,
      started_at: facts.startedAtMs === undefined ? undefined : new Date(facts.startedAtMs).toISOString(),
      status: facts.status,
      grpc_status: facts.grpcStatus,
      size_bytes: facts.requestBytes,
      response_size_bytes: facts.responseBytes,
      path: personal?.path,
      declared_body_bytes: personal?.declaredBodyBytes,
    }),
    upstream_tries: triesContext(facts),
    latency: known({
      upstream_ms: observation.upstreamMs,
      gateway_ms: observation.gatewayMs,
      kong_request_ms: latencies.requestMs,
      kong_kong_ms: latencies.kongMs,
      kong_proxy_ms: latencies.proxyMs,
      kong_receive_ms: latencies.receiveMs,
      clock_fault: observation.clockFault ? true : undefined,
    }),
    kong: known({
      service: service.name,
      service_id: service.id,
      service_host: service.host,
      service_port: service.port,
      service_protocol: service.protocol,
      route: route.name,
      route_id: route.id,
      workspace: facts.workspace,
    }),
    consumer: known({ identified: facts.hasConsumer, id: personal?.consumerId }),
    held_back: heldBackContext(heldBack),
  };
  return Object.fromEntries(
    Object.entries(contexts).filter(([, context]) => Object.keys(context).length > 0),
  );
}

function triesContext({ tries, triesLeftOut }: RequestFacts): FlatContext {
  if (tries.length === 0) return {};
  return Object.assign(
    known({ count: tries.length + triesLeftOut, left_out: triesLeftOut === 0 ? undefined : triesLeftOut }),
    ...tries.map(tryFields),
  ) as FlatContext;
}

function tryFields(upstreamTry: UpstreamTry): FlatContext {
  const name = `try_${String(upstreamTry.number).padStart(2, '0')}`;
  return known({
    [`${name}_address`]: targetAddress(upstreamTry),
    [`${name}_result`]: upstreamTry.failed ? 'failed' : 'answered or broken off',
    [`${name}_code`]: upstreamTry.code,
    [`${name}_ms`]: upstreamTry.upstreamMs === undefined ? undefined : inHundredths(upstreamTry.upstreamMs),
  });
}

function heldBackContext({ count, sinceMs, traceIds, others = 0 }: HeldBack): FlatContext {
  if (count === 0 && others === 0) return {};
  return known({
    count,
    since: count === 0 ? undefined : new Date(sinceMs).toISOString(),
    trace_ids: traceIds.length === 0 ? undefined : traceIds.join(', '),
    of_other_issues: others === 0 ? undefined : others,
  });
}

function inHundredths(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function known(fields: Readonly<Record<string, string | number | boolean | undefined>>): FlatContext {
  return Object.fromEntries(
    Object.entries(fields).filter(
      (field): field is [string, string | number | boolean] => field[1] !== undefined,
    ),
  );
}
