// From the facts of a request to when each part of it began and ended: the gateway's own time before the first try, each try
// of an upstream, and the receiving of the response's body. Parts follow each other, and all lie within the request, whatever
// the log says: what a clock that was set has pushed out is cut off, a time that is missing takes no time.
import type { Observation } from '../../observation';
import type { RequestFacts, UpstreamTry } from './request-facts';

export interface Period {
  /** Unix ms with fractions. */
  readonly startMs: number;
  readonly endMs: number;
}

export type TimelinePart = Period &
  (
    | { readonly kind: 'gateway' | 'response_body' }
    | { readonly kind: 'upstream_try'; readonly upstreamTry: UpstreamTry }
  );

export interface RequestTimeline extends Period {
  readonly parts: readonly TimelinePart[];
}

/**
 * The log is written right after the end of the request, so an end that is further from now than this is a clock's fault, and
 * now is taken. One hour bears a plugin server that stood still for long.
 */
const MAX_DISTANCE_MS = 3_600_000;

/** @param nowMs Unix ms of the system's clock, by which Kong goes too: when the log came */
export function requestPeriod({ startedAtMs, latencies }: RequestFacts, nowMs: number): Period {
  const { requestMs, kongMs = 0, proxyMs = 0, receiveMs = 0 } = latencies;
  const durationMs = requestMs ?? kongMs + proxyMs + receiveMs;
  const loggedEndMs = (startedAtMs ?? -Infinity) + durationMs;
  const endMs = Math.abs(nowMs - loggedEndMs) <= MAX_DISTANCE_MS ? loggedEndMs : nowMs;
  return { startMs: endMs - durationMs, endMs };
}

/** @param gatewayMs what the gateway took, ms: for a log that does not tell when the first try began */
export function requestTimeline(
  facts: RequestFacts,
  { gatewayMs }: Pick<Observation, 'gatewayMs'>,
  nowMs: number,
): RequestTimeline {
  const period = requestPeriod(facts, nowMs);
  let cursorMs = period.startMs;
  /** Of a part that may begin no earlier than where the one before it ended. */
  const following = (beginMs: number, durationMs: number): Period => {
    const startMs = Math.min(Math.max(cursorMs, beginMs), period.endMs);
    cursorMs = Math.min(startMs + durationMs, period.endMs);
    return { startMs, endMs: cursorMs };
  };
  const sentAtMs = facts.tries.map(({ startMs, balancerMs = 0 }) =>
    startMs === undefined || facts.startedAtMs === undefined
      ? undefined
      : startMs - facts.startedAtMs + balancerMs,
  );
  const firstSentAtMs = facts.tries.length === 0 ? undefined : sentAtMs[0];

  const gateway = following(period.startMs, Math.max(0, firstSentAtMs ?? gatewayMs));
  const tries = facts.tries.map((upstreamTry, index): TimelinePart => {
    const beginMs = period.startMs + (sentAtMs[index] ?? 0);
    return { kind: 'upstream_try', upstreamTry, ...following(beginMs, upstreamTry.upstreamMs ?? 0) };
  });
  const receiveMs = facts.latencies.receiveMs ?? 0;
  const body: TimelinePart[] =
    receiveMs > 0 && tries.length > 0 ? [{ kind: 'response_body', ...following(cursorMs, receiveMs) }] : [];
  return { ...period, parts: [{ kind: 'gateway', ...gateway }, ...tries, ...body] };
}
