// An alert from when it fires until it ends, as routing goes on with it from round to round.
import { SEVERITIES, severityRank } from '../../kong-plugin/contract/severity';
import type { Alert } from '../alert/alert';
import type { Rule } from '../config/rule';
import type { MuteReasons } from './mute-reasons';
import type { EscalationTimes, Hidden, RouteState, Run } from './route-state';

/** A window may be longer; but what then still fires is news. */
const MOST_LINGERING_MS = 3_600_000;

export function startOf({ sinceMs, firedMs }: Alert): number {
  return sinceMs ?? firedMs ?? 0;
}

/** None begins in the future: where it seems so the clock was set back, and the alert has been given a new beginning. */
export function isSameRun({ alert }: Run, now: Alert, nowMs: number): boolean {
  return startOf(alert) === startOf(now) || startOf(alert) > nowMs;
}

/** One round later; the same object where nothing changed. @param muted why the alert is not told now */
export function runAfter(
  before: Run | undefined,
  alert: Alert,
  muted: MuteReasons | undefined,
  nowMs: number,
): Run {
  const isNew = before === undefined || !isSameRun(before, alert, nowMs);
  const run = isNew ? newRun(alert, nowMs) : goesOn(before, alert, nowMs);
  const by = muted?.inhibitedBy;
  const hidden = isNew ? hiddenFirst(alert, by, nowMs) : hiddenAfter(run.hidden, alert, by, nowMs);
  const isMuted = muted !== undefined || hidden !== undefined;
  if (hidden === run.hidden && isMuted === (run.mutedSinceMs !== undefined)) return run;
  const mutedSinceMs = isMuted ? (run.mutedSinceMs ?? nowMs) : undefined;
  return { ...run, hidden, mutedSinceMs, escalation: isMuted ? run.escalation : unmuted(run, nowMs) };
}

/** For a reload that says anew what hides what. */
export function withoutHidden(state: RouteState): RouteState {
  const runs = [...state.runs].map(([key, run]): [string, Run] => [key, { ...run, hidden: undefined }]);
  return { ...state, runs: new Map(runs) };
}

function newRun(alert: Alert, nowMs: number): Run {
  const escalation = { fromMs: alert.firedMs ?? nowMs, leftMs: {} };
  return { alert, startedMs: startOf(alert), escalation, mutedSinceMs: undefined, hidden: undefined };
}

function goesOn(run: Run, alert: Alert, nowMs: number): Run {
  const { severity, acknowledgement } = run.alert;
  const isAsBefore =
    severity === alert.severity &&
    acknowledgement?.atMs === alert.acknowledgement?.atMs &&
    startOf(run.alert) === startOf(alert);
  if (isAsBefore) return run;
  return { ...run, alert, escalation: escalationAfter(run, alert, nowMs) };
}

/** An acknowledgement that ended, mostly because the alert got worse, gives whoever is told first their time again. */
function escalationAfter({ alert: before, escalation }: Run, now: Alert, nowMs: number): EscalationTimes {
  if (before.acknowledgement !== undefined && now.acknowledgement === undefined)
    return { fromMs: nowMs, leftMs: {} };
  if (before.severity === now.severity) return escalation;
  return { ...escalation, leftMs: { ...escalation.leftMs, [before.severity]: nowMs } };
}

/** Nobody could be told meanwhile, so nobody has let the time pass. */
function unmuted({ escalation, mutedSinceMs = Infinity }: Run, nowMs: number): EscalationTimes {
  const mutedForMs = Math.max(0, nowMs - mutedSinceMs);
  const later = (ms: number): number => Math.min(ms, mutedSinceMs) + mutedForMs;
  const left = SEVERITIES.flatMap((severity) => {
    const ms = escalation.leftMs[severity];
    return ms === undefined ? [] : [[severity, later(ms)] as const];
  });
  return { fromMs: later(escalation.fromMs), leftMs: Object.fromEntries(left) };
}

function hiddenFirst({ rule, severity }: Alert, by: string | undefined, nowMs: number): Hidden | undefined {
  if (by === undefined) return undefined;
  return { by, severity, isOver: false, sinceMs: nowMs, lingerMs: lingerMsOf(rule) };
}

/**
 * Once what hid an alert from its beginning has ended, its window still holds the trouble that both were about: told then, it would be
 * news of what is over. So it lingers, hidden, for as long as it would need to end by itself, unless it gets worse. A cause that comes
 * back gives it no more of that than it lasts.
 */
function hiddenAfter(
  before: Hidden | undefined,
  { rule, severity }: Alert,
  by: string | undefined,
  nowMs: number,
): Hidden | undefined {
  if (before === undefined) return undefined;
  const { isOver, sinceMs, lingerMs } = before;
  const lastedMs = Math.max(0, nowMs - sinceMs);
  if (by !== undefined && !isOver)
    return before.by === by && before.severity === severity ? before : { ...before, by, severity };
  if (by !== undefined)
    return { by, severity, isOver: false, sinceMs: nowMs, lingerMs: Math.max(0, lingerMs - lastedMs) };
  const after = isOver
    ? before
    : { ...before, isOver: true, sinceMs: nowMs, lingerMs: Math.min(lingerMs + lastedMs, lingerMsOf(rule)) };
  const isWorse = severityRank(severity) > severityRank(before.severity);
  return isWorse || nowMs - after.sinceMs >= after.lingerMs ? undefined : after;
}

function lingerMsOf({ windowMs, keepFiringForMs }: Rule): number {
  return Math.min(windowMs + keepFiringForMs, MOST_LINGERING_MS);
}
