// One rule's word about one scope, over time.
import type { Severity } from '../../kong-plugin/contract/severity';
import type { Rule } from '../config/rule';
import type { Verdict } from '../rule/verdict';
import type { Scope } from '../window/scope';

/**
 * `unknown`: the rule cannot tell, and nothing fires. `acknowledged`: fires, and somebody has said that they know.
 * `resolved`: was firing a short while ago.
 */
export const ALERT_STATES = ['inactive', 'unknown', 'pending', 'firing', 'acknowledged', 'resolved'] as const;

export type AlertState = (typeof ALERT_STATES)[number];

/** Who knows of an alert. It ends when the alert gets worse; with one that is resolved it is shown as long as that is. */
export interface Acknowledgement {
  readonly by: string;
  /** Empty where nothing was said. */
  readonly comment: string;
  /** Unix ms. */
  readonly atMs: number;
}

export interface Alert {
  /** As it holds for this scope, overrides applied. */
  readonly rule: Rule;
  readonly scope: Scope;
  readonly state: AlertState;
  /**
   * While pending that of the verdict. From firing to resolved it rises with what is breached, and eases only after a calm. Else
   * the mildest of the rule.
   */
  readonly severity: Severity;
  /** The latest one. */
  readonly verdict: Verdict;
  /** Unix ms of the first breach of this run; `undefined` while inactive or unknown. */
  readonly sinceMs: number | undefined;
  /** Severity -> Unix ms since when it, or a worse one, has been breached without a pause. */
  readonly breachedSinceMs: Readonly<Partial<Record<Severity, number>>>;
  /** Unix ms; from firing to resolved. */
  readonly firedMs: number | undefined;
  /** Unix ms since when a firing alert has been healthy; later by as long as the rule could not tell meanwhile. */
  readonly healthySinceMs: number | undefined;
  /**
   * Unix ms since when a firing alert has not been breached by as much as its severity says; later by as long as the rule could not
   * tell meanwhile.
   */
  readonly milderSinceMs: number | undefined;
  /** Unix ms since when the rule cannot tell. */
  readonly unknownSinceMs: number | undefined;
  /** Unix ms; only while resolved. */
  readonly resolvedMs: number | undefined;
  /** Of an acknowledged alert, and of a resolved one that was acknowledged. */
  readonly acknowledgement: Acknowledgement | undefined;
  /** Unix ms of each time that it fired lately, the last one included. */
  readonly firings: readonly number[];
  /** It fired so often lately that it is resolved only after a longer calm. */
  readonly isFlapping: boolean;
}

/** Whether people are, or should be, at work on it. */
export function isActive({ state }: Pick<Alert, 'state'>): boolean {
  return state === 'firing' || state === 'acknowledged';
}

/** The same alert on a clock that is `byMs` ahead. */
export function shiftAlert(alert: Alert, byMs: number): Alert {
  return withTimes(alert, (ms) => ms + byMs);
}

/** The same alert with every moment in it put through `move`, which must keep their order. */
export function withTimes(alert: Alert, move: (ms: number) => number): Alert {
  const moved = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : move(ms));
  return {
    ...alert,
    sinceMs: moved(alert.sinceMs),
    breachedSinceMs: Object.fromEntries(
      Object.entries(alert.breachedSinceMs).map(([severity, ms]) => [severity, move(ms)]),
    ),
    firedMs: moved(alert.firedMs),
    healthySinceMs: moved(alert.healthySinceMs),
    milderSinceMs: moved(alert.milderSinceMs),
    unknownSinceMs: moved(alert.unknownSinceMs),
    resolvedMs: moved(alert.resolvedMs),
    acknowledgement: alert.acknowledgement && {
      ...alert.acknowledgement,
      atMs: move(alert.acknowledgement.atMs),
    },
    firings: alert.firings.map(move),
  };
}
