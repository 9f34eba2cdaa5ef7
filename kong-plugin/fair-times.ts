// From a Kong log to the times that are fair to both sides. Kong charges failed tries to itself (`latencies.kong`) and only
// the last one to the upstream; here the time between the tries, less the choosing of targets, goes to the upstream.
// Times are up to the response headers: bodies, event streams and WebSocket sessions are not in them.
import type { KongLog } from './kong-log';

export interface FairTimes {
  /** Whole ms, `undefined` where the request reached no upstream. */
  upstreamMs: number | undefined;
  /** Whole ms; contains a client upload that Kong buffered. */
  gatewayMs: number;
  /** A negative upstream time: a clock was stepped back. It is counted as 0 ms. */
  clockFault: boolean;
}

/** Whether Kong tried at least one target: neither `proxy` nor `source` can tell. */
export function reachedUpstream(log: KongLog): boolean {
  return log.tries !== undefined && log.tries.length > 0;
}

export function fairTimes(log: KongLog): FairTimes {
  const kongMs = log.kongMs ?? 0;
  if (!reachedUpstream(log)) {
    return { upstreamMs: undefined, gatewayMs: Math.max(0, Math.round(kongMs)), clockFault: false };
  }
  const gapMs = failedTriesMs(log);
  const proxyMs = log.proxyMs ?? 0;
  return {
    upstreamMs: Math.round(gapMs + Math.max(0, proxyMs)),
    gatewayMs: Math.round(Math.max(0, kongMs - gapMs)),
    clockFault: proxyMs < 0,
  };
}

function failedTriesMs(log: KongLog): number {
  const tries = log.tries ?? [];
  let sumMs = 0;
  tries.slice(1).forEach((next, index) => {
    const earlier = tries[index];
    if (earlier) sumMs += next.balancerStartMs - earlier.balancerStartMs - earlier.balancerLatencyMs;
  });
  return Math.max(0, sumMs);
}
