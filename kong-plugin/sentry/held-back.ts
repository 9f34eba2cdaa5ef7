// What did not go to Sentry since the last event of its fingerprint went.

/** Of so many the trace ids are kept. */
export const MAX_HELD_BACK_TRACES = 5;

export interface HeldBack {
  /** 0: nothing was held back. */
  readonly count: number;
  /** Unix ms at which the first of them came. */
  readonly sinceMs: number;
  /** 32 hexadecimal digits each; of the first ones. */
  readonly traceIds: readonly string[];
}

export const NOTHING_HELD_BACK: HeldBack = { count: 0, sinceMs: 0, traceIds: [] };
