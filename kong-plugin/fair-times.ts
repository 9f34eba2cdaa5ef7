// From a Kong log to the times that are fair to both sides. Kong charges failed tries to itself (`latencies.kong`) and only
// the last one to the upstream; here the time between the tries, less the choosing of targets, goes to the upstream.
// Times are up to the response headers: bodies, event streams and WebSocket sessions are not in them.
import { MAX_CELL_MS } from './contract/histogram';
import type { KongLog } from './kong-log';

export interface FairTimes {
  /** Whole ms, `undefined` where the request reached no upstream. */
  upstreamMs: number | undefined;
  /** Whole ms; contains a client upload that Kong buffered. */
  gatewayMs: number;
  /** An upstream time below 0 or above MAX_CELL_MS, which is then counted in its place: a clock was set. */
  clockFault: boolean;
}

/** Whether Kong tried at least one target: neither `proxy` nor `source` can tell. */
export function reachedUpstream(log: KongLog): boolean {
  return log.tries !== undefined && log.tries.length > 0;
}

export function fairTimes(log: KongLog): FairTimes {
  const kongMs = log.kongMs ?? 0;
  if (!reachedUpstream(log)) {
    return { upstreamMs: undefined, gatewayMs: wholeMs(kongMs), clockFault: false };
  }
  const gapMs = failedTriesMs(log);
  const proxyMs = log.proxyMs ?? 0;
  const upstreamMs = gapMs + Math.max(0, proxyMs);
  return {
    upstreamMs: wholeMs(upstreamMs),
    gatewayMs: wholeMs(kongMs - gapMs),
    clockFault: proxyMs < 0 || !(upstreamMs <= MAX_CELL_MS),
  };
}

/** Within 0 and MAX_CELL_MS; 0 for NaN, which very large numbers add up to. */
function wholeMs(ms: number): number {
  return ms > 0 ? Math.round(Math.min(ms, MAX_CELL_MS)) : 0;
}

function failedTriesMs(log: KongLog): number {
  const tries = log.tries ?? [];
  let sumMs = 0;
  tries.slice(1).forEach((next, index) => {
    const earlier = tries[index];
    if (earlier) sumMs += next.balancerStartMs - earlier.balancerStartMs - earlier.balancerLatencyMs;
  });
  // NaN stays: what is asked of it is false.
  return sumMs < 0 ? 0 : sumMs;
}
