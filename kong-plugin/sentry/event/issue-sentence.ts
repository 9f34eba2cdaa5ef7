// What happened to one request, in a sentence for a person who was just woken: what failed, to whom, what the client got, how
// long it took and what was tried. What failed stands first, since lists cut the rest.
import type { BuiltInErrorType } from '../../contract/error-severities';
import type { Observation } from '../../observation';
import type { HeldBack } from '../decide/held-back';
import type { RequestFacts } from './request-facts';

const WHAT_HAPPENED: Readonly<Record<BuiltInErrorType, string>> = {
  client_closed_request: 'the client gave up before it was answered',
  upstream_timeout: 'the upstream did not answer in time',
  upstream_unreachable: 'the upstream could not be reached',
  upstream_server_error: 'the upstream failed',
  upstream_client_error: 'the upstream refused the request',
  service_unavailable:
    'Kong had no upstream for it: no healthy target, a host name that does not resolve, or a service that is switched off',
  gateway_error: 'Kong itself failed',
  route_not_found: 'no route matches the request',
  unauthorized: 'Kong refused the request, which had no valid credentials',
  forbidden: 'Kong refused the request, which is forbidden to the caller',
  rate_limited: 'Kong refused the request, which is one too many',
  request_rejected: 'Kong refused the request',
};

const HAPPENED = new Map<string, string>(Object.entries(WHAT_HAPPENED));

/** Of so many failed tries the codes are told. */
const MAX_TOLD_CODES = 10;

export function issueSentence(observation: Observation, facts: RequestFacts): string {
  const { service, operation, errorType, status } = observation;
  const what = HAPPENED.get(errorType) ?? 'the upstream answered with a status that has this name';
  const request = [operation, service === '' ? '' : `service ${service}`].filter((part) => part !== '');
  const grpc = facts.grpcStatus === undefined ? '' : ` (gRPC status ${facts.grpcStatus})`;
  const answer = status === 0 ? 'no status is known' : `status ${status}${grpc}`;
  const subject = request.length === 0 ? '' : ` (${request.join(', ')})`;
  return `${capitalized(what)}${subject}: ${answer}${times(observation, facts)}${tries(observation, facts)}.`;
}

function times({ upstreamMs, gatewayMs }: Observation, { latencies }: RequestFacts): string {
  const whole = latencies.requestMs === undefined ? '' : ` after ${duration(latencies.requestMs)}`;
  const upstream =
    upstreamMs === undefined ? 'no upstream reached' : `${duration(upstreamMs)} in the upstream`;
  return `${whole} (${upstream}, ${duration(gatewayMs)} in the gateway)`;
}

function tries({ failedTryCodes }: Observation, facts: RequestFacts): string {
  if (failedTryCodes.length === 0) return '';
  const codes = failedTryCodes
    .slice(0, MAX_TOLD_CODES)
    .map((code) => (code === 0 ? 'no code' : String(code)));
  const more = failedTryCodes.length > MAX_TOLD_CODES ? ', …' : '';
  const count = facts.tries.length + facts.triesLeftOut;
  return `; of ${count === 1 ? '1 try' : `${count} tries`} ${failedTryCodes.length} failed (${codes.join(', ')}${more})`;
}

/** Empty where nothing was held back. The trace ids are in a context of their own. */
export function heldBackSentence({ count, sinceMs, others = 0 }: HeldBack): string {
  const own = count === 0 ? [] : [`${count} more of this kind since ${new Date(sinceMs).toISOString()}`];
  const parts = others === 0 ? own : [...own, `${others} of other kinds`];
  return parts.length === 0 ? '' : `Held back, not sent: ${parts.join(', and ')}.`;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 10) / 100} s`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
