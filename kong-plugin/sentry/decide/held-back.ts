// What did not go to Sentry since the last event of its fingerprint went.

/** Of so many the trace ids are kept. */
export const MAX_HELD_BACK_TRACES = 5;

export interface HeldBack {
  /** 0: nothing was held back. */
  readonly count: number;
  /** Unix ms at which the first of them came; of a steady clock, but in an event. */
  readonly sinceMs: number;
  /** 32 hexadecimal digits each; of the first ones. */
  readonly traceIds: readonly string[];
  /** Of other fingerprints, which came so seldom since then that they were forgotten: no event of their own will tell of these. */
  readonly others?: number;
}

export const NOTHING_HELD_BACK: HeldBack = { count: 0, sinceMs: 0, traceIds: [] };

/**
 * What an event carried, and the event itself, which did not go either.
 *
 * @param atMs Unix ms, when the event came
 */
export function withEvent(carried: HeldBack, atMs: number): HeldBack {
  return {
    ...carried,
    count: carried.count + 1,
    sinceMs: carried.count === 0 ? atMs : carried.sinceMs,
  };
}

/** As an event tells it. @param aheadMs of the system's clock to the steady one */
export function atSystemTime(heldBack: HeldBack, aheadMs: number): HeldBack {
  return heldBack.count === 0 ? heldBack : { ...heldBack, sinceMs: heldBack.sinceMs + aheadMs };
}
