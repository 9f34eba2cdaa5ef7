// The distinct windows of a tier of slots, as they move on with time: which slots leave them and which enter them, so that what
// is summed up over a window need not be summed up anew.
import { slotAt, touchedSlots, type SlotRange, type WindowSpan } from './slots';

/** Told of one slot that enters (1) or leaves (-1) the window of an index. */
export type Crossing = (slot: number, index: number, sign: 1 | -1) => void;

export class MovingWindows {
  readonly slotMs: number;
  readonly #spans: readonly WindowSpan[];
  readonly #ranges: SlotRange[];
  readonly #keepMs: number;
  #current: number;

  /** @param keepMs how far back slots are kept, ms; no window may reach further back. 0: nothing is kept */
  constructor(slotMs: number, spans: readonly WindowSpan[], keepMs: number, nowMs: number) {
    this.slotMs = slotMs;
    this.#spans = spans;
    this.#keepMs = keepMs;
    this.#ranges = spans.map((span) => touchedSlots(nowMs, span, slotMs));
    this.#current = slotAt(nowMs, slotMs);
  }

  get spans(): readonly WindowSpan[] {
    return this.#spans;
  }

  /** The slot of the time that the windows have moved on to. */
  get current(): number {
    return this.#current;
  }

  /** Whether a slot is, or will be, in a window that ends at `nowMs` or later. */
  keeps(slot: number, nowMs: number): boolean {
    return this.#keepMs > 0 && slot >= this.firstKept(nowMs);
  }

  /** The oldest slot that is kept. */
  firstKept(nowMs: number): number {
    return touchedSlots(nowMs, { windowMs: this.#keepMs, agoMs: 0 }, this.slotMs).first;
  }

  /** The window's place among the others, or -1. */
  indexOf({ windowMs, agoMs }: WindowSpan): number {
    return this.#spans.findIndex((span) => span.windowMs === windowMs && span.agoMs === agoMs);
  }

  covers(index: number, slot: number): boolean {
    const range = this.#ranges[index];
    return range !== undefined && slot >= range.first && slot <= range.last;
  }

  /** Each slot that is no longer, or is now, in a window is told once. */
  moveTo(nowMs: number, cross: Crossing): void {
    this.#current = slotAt(nowMs, this.slotMs);
    for (const [index, span] of this.#spans.entries()) {
      const before = this.#ranges[index] ?? { first: 0, last: -1 };
      const after = touchedSlots(nowMs, span, this.slotMs);
      this.#ranges[index] = after;
      for (const slot of without(before, after)) cross(slot, index, -1);
      for (const slot of without(after, before)) cross(slot, index, 1);
    }
  }
}

/** The slots of one range that are not in the other. */
function* without(range: SlotRange, other: SlotRange): Generator<number> {
  for (let slot = range.first; slot <= Math.min(range.last, other.first - 1); slot += 1) yield slot;
  for (let slot = Math.max(range.first, other.last + 1); slot <= range.last; slot += 1) yield slot;
}
