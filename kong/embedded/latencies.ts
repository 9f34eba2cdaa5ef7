// Kong's latency arithmetic. In: when things happened to one request, in ms since 1970 with fractions. Out: the four
// `latencies` of its log, whole ms; nginx reads its clock in whole ms, so every time is cut before it is subtracted.
// Failed tries end up in `kong`: Kong sets the end of its own time anew at each try. Source: kong/init.lua of 3.9 and the
// recordings. Pure.

/** One try's balancer phase. */
export interface BalancerTimes {
  readonly balancerStartedAtMs: number;
  readonly balancerLatencyMs: number;
}

/** What happened when. */
export interface ExchangeTimes {
  /** The request's headers were read. */
  readonly startedAtMs: number;
  /** Plugins and the choice of a peer were done and the request went on to be proxied; absent when answered here. */
  readonly accessEndedAtMs?: number;
  readonly tries: readonly BalancerTimes[];
  /** The response's headers were ready, the upstream's or our own; absent when the client left before. */
  readonly headersAtMs?: number;
  /** The response's body was complete; absent when it never was. */
  readonly bodyEndedAtMs?: number;
  /** The request was over, in whatever way. */
  readonly endedAtMs: number;
}

/** As in the log: ms; `proxy` is -1 where the gateway answered without going on to an upstream. */
export interface Latencies {
  readonly request: number;
  readonly kong: number;
  readonly proxy: number;
  readonly receive: number;
}

/** Computes the log's latencies. */
export function computeLatencies(times: ExchangeTimes): Latencies {
  const started = Math.floor(times.startedAtMs);
  const request = Math.floor(times.endedAtMs) - started;
  const headersAt = Math.floor(times.headersAtMs ?? times.endedAtMs);
  if (times.accessEndedAtMs === undefined)
    return { request, kong: headersAt - started, proxy: -1, receive: 0 };
  const lastTry = times.tries.at(-1);
  const handedOver = Math.floor(
    lastTry === undefined ? times.accessEndedAtMs : lastTry.balancerStartedAtMs + lastTry.balancerLatencyMs,
  );
  return {
    request,
    kong: handedOver - started,
    proxy: headersAt - handedOver,
    receive: times.bodyEndedAtMs === undefined ? 0 : Math.floor(times.bodyEndedAtMs) - headersAt,
  };
}
