// One rule's word about one service, over time.
import type { Rule } from '../config/config';
import type { Verdict } from '../rule/verdict';

export const ALERT_STATES = ['inactive', 'pending', 'firing'] as const;

export type AlertState = (typeof ALERT_STATES)[number];

export interface Alert {
  readonly rule: Rule;
  /** Kong's service name; empty for requests without a service. */
  readonly service: string;
  readonly state: AlertState;
  /** Unix ms of the first breach of this run; `undefined` while inactive. */
  readonly sinceMs: number | undefined;
  /** The latest verdict. */
  readonly verdict: Verdict;
}

/** The same alert on a clock that is `byMs` ahead. */
export function shiftAlert(alert: Alert, byMs: number): Alert {
  return { ...alert, sinceMs: alert.sinceMs === undefined ? undefined : alert.sinceMs + byMs };
}
