// The clock of one request: starts at the wall clock's whole millisecond and runs on by the monotonic clock, so that
// differences are right even when the wall clock is set meanwhile. The gateway's only way to the time of day.

/** Reads the time. */
export interface Timeline {
  /** When it was started, ms since 1970. */
  readonly startedAtMs: number;
  /** Now, ms since 1970 with fractions. */
  readonly nowMs: () => number;
}

/** Starts a timeline now. */
export function startTimeline(): Timeline {
  const startedAtMs = Date.now();
  const origin = performance.now();
  return { startedAtMs, nowMs: () => startedAtMs + (performance.now() - origin) };
}
