// The time and the timers, for the few steps that need them. They are given a `Clock`, so that tests can turn it.

export interface Clock {
  /** Unix ms, whole. The system may set it forward and back. */
  nowMs(): number;
  /** Ms since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Runs `run` once after the delay; the answer cancels it and may be called at any time. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * The same clock, but its `nowMs` goes on evenly where the system's is set forward or back: for all that is measured by how
 * long it lasts. After a step it is that much off the system's for as long as the process lives.
 *
 * @param startMs what it shows now, Unix ms
 */
export function steadyClock(clock: Clock, startMs = clock.nowMs()): Clock {
  const offsetMs = startMs - clock.monotonicMs();
  return {
    nowMs: () => Math.round(offsetMs + clock.monotonicMs()),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, run) => clock.after(delayMs, run),
  };
}

/**
 * A steady clock that goes on where that of an earlier process stopped: moved on by what has passed by the system's clock, which
 * may have been set meanwhile; it never goes back.
 *
 * @param stopped what both showed then, Unix ms; `undefined`: it begins now
 */
export function continuedClock(
  clock: Clock,
  stopped: { readonly steadyMs: number; readonly wallMs: number } | undefined,
): Clock {
  if (stopped === undefined) return steadyClock(clock);
  return steadyClock(clock, stopped.steadyMs + Math.max(0, clock.nowMs() - stopped.wallMs));
}

/** Two readings of two clocks differ by a ms or two. */
const JITTER_MS = 20;

/**
 * How far the system's time is ahead of a steady clock, ms: the same number until the system's clock was really set, so that a
 * steady moment is the same moment for people however often it is told.
 */
export function aheadOf(clock: Clock, steady: Clock): () => number {
  let toldMs = 0;
  return () => {
    const aheadMs = clock.nowMs() - steady.nowMs();
    if (Math.abs(aheadMs - toldMs) > JITTER_MS) toldMs = aheadMs;
    return toldMs;
  };
}
