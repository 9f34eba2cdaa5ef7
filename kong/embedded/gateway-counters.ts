// What the gateway counts of itself: the oracle of tests. Every started event ends in exactly one of the others:
// started = answered + brokenOff + lostAtConnect + withoutInstance + overLimit + in progress.

/** Totals since the start. */
export interface GatewayCounters {
  /** Requests that were answered or given up, each of which had a log phase. */
  requestsServed: number;
  /** Log phases of plugins that a plugin server runs: for each request, one for each such plugin instance. */
  eventsStarted: number;
  /** Events for which the plugin server said `ret`. */
  eventsAnswered: number;
  /** Events of which an RPC was sent but that came to no `ret`: the plugin may or may not have seen them. */
  eventsBrokenOff: number;
  /** Events lost because the plugin server could not be connected to: the plugin has not seen them. */
  eventsLostAtConnect: number;
  /** Events lost because StartInstance was sent and failed: the plugin has not seen them. */
  eventsWithoutInstance: number;
  /** Events lost because 4096 were in progress, Kong's limit of running timers: the plugin has not seen them. */
  eventsOverLimit: number;
}

/** All at zero. */
export function createCounters(): GatewayCounters {
  return {
    requestsServed: 0,
    eventsStarted: 0,
    eventsAnswered: 0,
    eventsBrokenOff: 0,
    eventsLostAtConnect: 0,
    eventsWithoutInstance: 0,
    eventsOverLimit: 0,
  };
}
