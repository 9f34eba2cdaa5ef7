// The life of one alert, one round at a time: inactive -> pending -> firing -> inactive.
//
//   verdict            inactive                 pending                          firing
//   breached           pending, or firing       firing once the breach has       firing
//                      where `forMs` is 0       lasted `forMs`
//   healthy            inactive                 inactive                         inactive, resolved
//   too_few_requests   inactive                 inactive                         firing
//
// Too few requests prove neither trouble nor recovery, so they end a pending alert and hold a firing one, and an alert on a
// service whose traffic ends while it fires stays until the traffic is back or its rule is removed.
// A clock that was set back cannot make a breach begin in the future: it then begins now.
import type { Rule } from '../config/config';
import type { Verdict } from '../rule/verdict';
import type { Alert } from './alert';
import type { AlertChange } from './alert-change';

export interface AlertAdvance {
  readonly alert: Alert;
  /** `undefined` where nobody needs to be told. */
  readonly change: AlertChange | undefined;
}

/**
 * The alert after one more round.
 * @param previous `undefined` before the first round; its rule may be an older version of `rule`
 * @param nowMs Unix ms of the round
 */
export function advanceAlert(
  previous: Alert | undefined,
  rule: Rule,
  service: string,
  verdict: Verdict,
  nowMs: number,
): AlertAdvance {
  const startedMs = Math.min(previous?.sinceMs ?? nowMs, nowMs);
  const wasFiring = previous?.state === 'firing';
  const inactive: Alert = { rule, service, state: 'inactive', sinceMs: undefined, verdict };
  const firing: Alert = { rule, service, state: 'firing', sinceMs: startedMs, verdict };
  const change = { startedMs, atMs: nowMs, ruleRemoved: false };

  if (wasFiring) {
    if (verdict.state !== 'healthy') return { alert: firing, change: undefined };
    return { alert: inactive, change: { ...change, kind: 'resolved', alert: inactive } };
  }
  if (verdict.state !== 'breached') return { alert: inactive, change: undefined };
  if (nowMs - startedMs >= rule.forMs)
    return { alert: firing, change: { ...change, kind: 'fired', alert: firing } };
  return { alert: { ...firing, state: 'pending' }, change: undefined };
}

/** What people are told when the rule of an alert is removed: a firing one ends, since nothing would ever resolve it. */
export function endAlert(alert: Alert, nowMs: number): AlertChange | undefined {
  if (alert.state !== 'firing') return undefined;
  return {
    kind: 'resolved',
    alert: { ...alert, state: 'inactive', sinceMs: undefined },
    startedMs: Math.min(alert.sinceMs ?? nowMs, nowMs),
    atMs: nowMs,
    ruleRemoved: true,
  };
}
