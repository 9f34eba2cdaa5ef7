// Keeps a storm of faults from Sentry: of one kind the first ones at once, then no more than so many a minute, and so over all.
// What is held back is counted, and the next of its kind that goes tells how many, and since when.

/** Of one kind, in any minute. */
export const FAULTS_A_MINUTE = 3;
/** Of all kinds, in any minute. */
export const ALL_FAULTS_A_MINUTE = 20;
/** Kinds beyond share one place, whose count is told with the next of any kind. */
export const MAX_KINDS = 100;

const MINUTE_MS = 60_000;

const SHARED = '';

export interface HeldBack {
  readonly count: number;
  /** Monotonic ms at which the first of them came. */
  readonly sinceMs: number;
}

export interface Admitted {
  readonly mayGo: boolean;
  /** Only of one that may go. */
  readonly before: HeldBack | undefined;
}

interface Kind {
  /** Monotonic ms of those that went in the last minute. */
  readonly wentMs: number[];
  heldBack: { count: number; sinceMs: number } | undefined;
}

export class FaultLimiter {
  readonly #kinds = new Map<string, Kind>();
  readonly #wentMs: number[] = [];

  /** @param nowMs monotonic */
  admit(kindName: string, nowMs: number): Admitted {
    const kind = this.#kindOf(kindName, nowMs);
    forgetOld(kind.wentMs, nowMs);
    forgetOld(this.#wentMs, nowMs);
    if (kind.wentMs.length >= FAULTS_A_MINUTE || this.#wentMs.length >= ALL_FAULTS_A_MINUTE) {
      kind.heldBack ??= { count: 0, sinceMs: nowMs };
      kind.heldBack.count += 1;
      return { mayGo: false, before: undefined };
    }
    kind.wentMs.push(nowMs);
    this.#wentMs.push(nowMs);
    const shared = this.#kinds.get(SHARED);
    const before = sum(kind.heldBack, shared === kind ? undefined : shared?.heldBack);
    kind.heldBack = undefined;
    if (shared) shared.heldBack = undefined;
    return { mayGo: true, before };
  }

  #kindOf(name: string, nowMs: number): Kind {
    const known = this.#kinds.get(name);
    if (known) return known;
    if (this.#kinds.size >= MAX_KINDS) {
      for (const [other, { wentMs, heldBack }] of this.#kinds) {
        forgetOld(wentMs, nowMs);
        if (wentMs.length === 0 && heldBack === undefined) this.#kinds.delete(other);
      }
    }
    const key = this.#kinds.size >= MAX_KINDS ? SHARED : name;
    const kind = this.#kinds.get(key) ?? { wentMs: [], heldBack: undefined };
    this.#kinds.set(key, kind);
    return kind;
  }
}

function sum(one: HeldBack | undefined, other: HeldBack | undefined): HeldBack | undefined {
  if (!one || !other) return one ?? other;
  return { count: one.count + other.count, sinceMs: Math.min(one.sinceMs, other.sinceMs) };
}

function forgetOld(wentMs: number[], nowMs: number): void {
  while (wentMs[0] !== undefined && wentMs[0] <= nowMs - MINUTE_MS) wentMs.shift();
}
