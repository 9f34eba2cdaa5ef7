// Whether enough of a window is known to judge it.
import type { ScopeView } from '../window/scope-view';

/** A window of which more is lost proves nothing. */
const MOST_LOST = 0.1;

/**
 * Whether too much of a window is lost. The time before the very first start is not: what the window holds is judged, and how
 * sure that is is the gate's concern.
 * @param boundsMs by which the rule counts times
 */
export function hasGap(view: ScopeView, windowMs: number, boundsMs: readonly number[] = []): boolean {
  const isLost = (boundMs?: number): boolean => view.coverage(windowMs, 0, boundMs).lost > MOST_LOST;
  return boundsMs.length === 0 ? isLost() : boundsMs.some(isLost);
}

/** Whether a share covers enough of a window to say what did not happen in it. */
export function isCovered(covered: number): boolean {
  return covered >= 1 - MOST_LOST;
}
