// What happened to an alert in one round, or by somebody's hand.
import { shiftAlert, type Alert } from './alert';

/**
 * Why an alert has ended; but for `recovered` nobody knows whether what it was about has. `not_observed`: for a day there was too
 * little to judge. `forgotten`: it is not in the memory any more.
 */
export const END_REASONS = ['recovered', 'rule_removed', 'not_observed', 'forgotten'] as const;

export type EndReason = (typeof END_REASONS)[number];

export interface AlertChange {
  /**
   * `worsened`: its severity rose while it fired. `flapped`: it fired again, so often lately that it is now flapping; comes with
   * a `fired`.
   */
  readonly kind: 'fired' | 'worsened' | 'flapped' | 'acknowledged' | 'resolved';
  /** As it is after the change. */
  readonly alert: Alert;
  /** Unix ms of the change. */
  readonly atMs: number;
  /** Only where resolved. */
  readonly endReason: EndReason | undefined;
}

/** The same change on a clock that is `byMs` ahead. */
export function shiftChange(change: AlertChange, byMs: number): AlertChange {
  return { ...change, alert: shiftAlert(change.alert, byMs), atMs: change.atMs + byMs };
}
