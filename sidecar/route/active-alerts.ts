// The alerts of one round that fire, and how those ended that no longer do.
// An alert that fired in the last round and of whose end nobody said anything is over all the same.
import type { Severity } from '../../kong-plugin/contract/severity';
import { isActive, type Alert } from '../alert/alert';
import type { AlertChange } from '../alert/alert-change';
import type { NotificationPolicy } from '../config/notification-policy';
import { namesOf, type ActiveAlert, type AlertNames } from './active-alert';
import { Escalation } from './escalation';
import { muteReasons, type MuteReasons } from './mute-reasons';
import { isSameRun, runAfter, startOf } from './run';
import type { End, RouteState, Run } from './route-state';
import type { Silence } from './silence';
import { unnoticedEnd } from './unnoticed-end';

export interface Activity {
  /** By the alert's key. */
  readonly active: ReadonlyMap<string, ActiveAlert>;
  /** The same map as before where nothing changed; so is `ends`. */
  readonly runs: ReadonlyMap<string, Run>;
  readonly ends: ReadonlyMap<string, End>;
}

export interface ActivityInput {
  readonly policy: NotificationPolicy;
  /** All that fire or are acknowledged, and those that resolved lately; others do no harm. */
  readonly alerts: Iterable<Alert>;
  /** Of this round. */
  readonly changes: readonly AlertChange[];
  readonly silences: readonly Silence[];
  /** Unix ms of the round. */
  readonly nowMs: number;
  /** How far the clock that people have is ahead of the rounds': silences, maintenance and quiet hours go by theirs. */
  readonly aheadMs: number;
}

export function activityOf(before: Pick<RouteState, 'runs' | 'ends'>, input: ActivityInput): Activity {
  const { policy, silences, nowMs, aheadMs } = input;
  const firing = new Map<string, Alert>();
  const over = new Map<string, Alert>();
  const named: (AlertNames & { readonly alert: Alert; readonly severity: Severity })[] = [];
  for (const alert of input.alerts) {
    if (!isActive(alert) && alert.state !== 'resolved') continue;
    const { key, labels, group } = namesOf(alert, policy.groupBy);
    (isActive(alert) ? firing : over).set(key, alert);
    if (isActive(alert)) named.push({ key, labels, group, alert, severity: alert.severity });
  }
  const ends = endsOf(before, firing, over, input);
  const muted = muteReasons(policy, silences, named, nowMs + aheadMs);
  const runs = runsOf(before.runs, firing, muted, nowMs);
  const escalation = new Escalation(policy.escalation);
  const active = new Map<string, ActiveAlert>();
  for (const { key, labels, group, alert, severity } of named) {
    const run = runs.get(key) ?? runAfter(undefined, alert, muted.get(key), nowMs);
    const { startedMs, escalation: times, mutedSinceMs } = run;
    const due = escalation.dueChannels(severity, times, alert.acknowledgement?.atMs, nowMs);
    const isMuted = mutedSinceMs !== undefined;
    active.set(key, { key, labels, severity, alert, startedMs, group, due, isMuted });
  }
  return { active, runs, ends };
}

function endsOf(
  before: Pick<RouteState, 'runs' | 'ends'>,
  firing: ReadonlyMap<string, Alert>,
  over: ReadonlyMap<string, Alert>,
  { changes, nowMs, policy }: ActivityInput,
): ReadonlyMap<string, End> {
  const ends = new Map<string, End>();
  for (const { kind, alert, endReason, atMs } of changes)
    if (kind === 'resolved')
      ends.set(namesOf(alert, policy.groupBy).key, { alert, endReason: endReason ?? 'recovered', atMs });
  for (const [key, run] of before.runs) {
    const now = firing.get(key);
    if (ends.has(key) || (now && isSameRun(run, now, nowMs))) continue;
    const { alert } = run;
    const last = over.get(key);
    if (last && startOf(last) === startOf(alert))
      ends.set(key, { alert: last, endReason: 'recovered', atMs: last.resolvedMs ?? nowMs });
    else ends.set(key, unnoticedEnd(alert, nowMs));
  }
  return ends.size === 0 ? before.ends : new Map([...before.ends, ...ends]);
}

function runsOf(
  before: ReadonlyMap<string, Run>,
  firing: ReadonlyMap<string, Alert>,
  muted: ReadonlyMap<string, MuteReasons>,
  nowMs: number,
): ReadonlyMap<string, Run> {
  const runs = new Map<string, Run>();
  let isSame = before.size === firing.size;
  for (const [key, alert] of firing) {
    const run = before.get(key);
    const next = runAfter(run, alert, muted.get(key), nowMs);
    isSame &&= next === run;
    runs.set(key, next);
  }
  return isSame ? before : runs;
}
