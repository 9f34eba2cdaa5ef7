// A change of an alert that people are told of.
import { shiftAlert, type Alert } from './alert';

export interface AlertChange {
  readonly kind: 'fired' | 'resolved';
  /** As it is after the change. */
  readonly alert: Alert;
  /** Unix ms of the first breach of this run. */
  readonly startedMs: number;
  /** Unix ms of the change. */
  readonly atMs: number;
  /** Resolved only because the configuration no longer has the rule: whether the service recovered is not known. */
  readonly ruleRemoved: boolean;
}

/** The same change on a clock that is `byMs` ahead. */
export function shiftChange(change: AlertChange, byMs: number): AlertChange {
  const { alert, startedMs, atMs } = change;
  return { ...change, alert: shiftAlert(alert, byMs), startedMs: startedMs + byMs, atMs: atMs + byMs };
}
