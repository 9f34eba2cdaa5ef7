// In: the deltas of placed intervals. Out: the tally of one service over the last N ms.
// Time is cut into slots of SLOT_MS. A window (now - N, now] covers every slot that it touches: it never misses a request
// of its last N ms, and may still see requests that are up to SLOT_MS older.
// Only the slots of the longest window are kept; what is later than that is counted in `lateRequests` and is in no window.
// The number of services is the ledger's concern: it folds names over its series cap before deltas come here.
import type { Delta } from '../../kong-plugin/contract/delta';
import { addDelta, emptyTally, mergeTally, type Tally } from './tally';

/** Fine enough for a window of a minute, coarse enough to merge hundreds of services in every round. */
export const SLOT_MS = 5_000;

/** Number of a slot since 1970 -> what happened in it. */
type Slots = Map<number, Tally>;

export class ServiceWindows {
  readonly #slotsOf = new Map<string, Slots>();
  #longestWindowMs: number;
  #lateRequests = 0;

  /** @param longestWindowMs how far back any rule looks; with 0 nothing but the current slot is kept */
  constructor(longestWindowMs: number) {
    this.#longestWindowMs = longestWindowMs;
  }

  /** Requests that came too late for every window, since the start. */
  get lateRequests(): number {
    return this.#lateRequests;
  }

  /** For a reload. A longer window fills up from now on; what a shorter one no longer needs goes at the next `forgetBefore`. */
  keepWindow(longestWindowMs: number): void {
    this.#longestWindowMs = longestWindowMs;
  }

  /**
   * Adds what happened at one time.
   * @param atMs Unix ms by the sidecar's own clock; a time after `nowMs` counts as `nowMs`
   */
  add(atMs: number, deltas: readonly Delta[], nowMs: number): void {
    const slot = slotOf(Math.min(atMs, nowMs));
    const isLate = slot < firstSlot(nowMs, this.#longestWindowMs);
    for (const delta of deltas) {
      if (isLate) this.#lateRequests += delta.requests;
      else addDelta(this.#tallyAt(delta.series.service, slot), delta);
    }
  }

  /** What happened to a service in (nowMs - windowMs, nowMs], a new tally each time. Merges slots: ask once per round. */
  tallyOf(service: string, nowMs: number, windowMs: number): Tally {
    const from = firstSlot(nowMs, windowMs);
    const to = slotOf(nowMs);
    const tally = emptyTally();
    for (const [slot, part] of this.#slotsOf.get(service) ?? [])
      if (slot >= from && slot <= to) mergeTally(tally, part);
    return tally;
  }

  /** The services with at least one slot. */
  services(): string[] {
    return [...this.#slotsOf.keys()];
  }

  /**
   * Drops the slots that no window can touch any more, and services without slots. Where the clock was set back, what lies
   * ahead of it is moved into the current slot, so that it neither vanishes nor returns when that time comes again.
   */
  forgetBefore(nowMs: number): void {
    const from = firstSlot(nowMs, this.#longestWindowMs);
    const current = slotOf(nowMs);
    for (const [service, slots] of this.#slotsOf) {
      for (const [slot, tally] of [...slots]) {
        if (slot >= from && slot <= current) continue;
        slots.delete(slot);
        if (slot > current) mergeTally(this.#tallyAt(service, current), tally);
      }
      if (slots.size === 0) this.#slotsOf.delete(service);
    }
  }

  #tallyAt(service: string, slot: number): Tally {
    let slots = this.#slotsOf.get(service);
    if (!slots) this.#slotsOf.set(service, (slots = new Map<number, Tally>()));
    let tally = slots.get(slot);
    if (!tally) slots.set(slot, (tally = emptyTally()));
    return tally;
  }
}

function slotOf(ms: number): number {
  return Math.floor(ms / SLOT_MS);
}

/** The oldest slot that (nowMs - windowMs, nowMs] touches; both in whole ms. */
function firstSlot(nowMs: number, windowMs: number): number {
  return slotOf(Math.min(nowMs, nowMs - windowMs + 1));
}
