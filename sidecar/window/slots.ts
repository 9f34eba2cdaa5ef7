// Time cut into slots of one length, numbered since 1970. A window (now - N, now] covers every slot that it touches: it never misses
// a request of its N ms, and may see requests that are up to one slot older. One that ended before now, (now - ago - N, now - ago],
// begins in the same way and ends with the last slot that had ended by then, so that it shares none with the window after it.

/** Fine enough for a window of 10 s, coarse enough that what enters and leaves in a round is little. */
export const FINE_SLOT_MS = 5_000;

/** Of the windows that are too long for fine slots. */
export const MINUTE_SLOT_MS = 60_000;

/** Up to here windows that end now are told in fine slots. */
export const MOST_FINE_MS = 60 * 60_000;

/** A window that ended `agoMs` before now. */
export interface WindowSpan {
  readonly windowMs: number;
  readonly agoMs: number;
}

/** Both ends included. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
}

/** The slot that a moment (Unix ms) lies in. */
export function slotAt(ms: number, slotMs: number): number {
  return Math.floor(ms / slotMs);
}

/** The slots that a window covers; none where one that has ended is shorter than a slot. */
export function touchedSlots(nowMs: number, { windowMs, agoMs }: WindowSpan, slotMs: number): SlotRange {
  const endMs = Math.floor(nowMs) - agoMs;
  const first = slotAt(Math.min(endMs, endMs - windowMs + 1), slotMs);
  return { first, last: agoMs === 0 ? slotAt(endMs, slotMs) : slotAt(endMs + 1, slotMs) - 1 };
}

/** [fromMs, toMs) of the slots that a window covers, up to now. */
export function coveredTime(
  nowMs: number,
  span: WindowSpan,
  slotMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  const { first, last } = touchedSlots(nowMs, span, slotMs);
  return { fromMs: first * slotMs, toMs: Math.min(Math.floor(nowMs) + 1, (last + 1) * slotMs) };
}

/** Whether a window is told in fine slots; else in minutes. */
export function isFine({ windowMs, agoMs }: WindowSpan): boolean {
  return windowMs <= MOST_FINE_MS && agoMs === 0;
}
