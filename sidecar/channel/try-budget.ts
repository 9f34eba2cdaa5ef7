// The time of one try, which everything shares that is asked of a receiver for one notification.
import type { Clock } from '../clock';

/** Whole ms that are left of it; 0 where it is over. */
export type TryBudget = () => number;

export function tryBudget(timeoutMs: number, clock: Pick<Clock, 'monotonicMs'>): TryBudget {
  const endMs = clock.monotonicMs() + timeoutMs;
  return () => Math.max(0, Math.ceil(endMs - clock.monotonicMs()));
}
