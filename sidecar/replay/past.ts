// The past as a replay reads it, wherever it was kept: what a sidecar would have known, in the order in which it would have.
import type { PlacedDeltas } from '../ingest/place-intervals';
import type { Delivery } from '../window/coverage';

/** Nothing came in [fromMs, toMs), Unix ms. */
export interface PastGap {
  readonly fromMs: number;
  readonly toMs: number;
  /** Who may still deliver what happened in it; none: nobody will. */
  readonly producers: readonly string[];
}

export interface PastEvent {
  /** When it was known, Unix ms; never before the event before it. */
  readonly knownMs: number;
  readonly placed: readonly PlacedDeltas[];
  readonly gap?: PastGap;
  /** The producer that has nothing left of the time before. */
  readonly delivered?: string | undefined;
  /** Of the batch that came. */
  readonly delivery?: Delivery;
}

export interface Past {
  /** To be read once. @throws PastFault */
  events(): AsyncIterable<PastEvent>;
  /** How much of it has been read, 0 to 1. */
  progress(): number;
  /** What of it could not be seen, in sentences; all of them once the events have ended. */
  unseen(): readonly string[];
}

/** Both ends are included, Unix ms; `undefined`: as far as it goes. */
export interface TimeRange {
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
}

/** The past cannot be read; the message says why, for people. */
export class PastFault extends Error {}
