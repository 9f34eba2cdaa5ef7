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
