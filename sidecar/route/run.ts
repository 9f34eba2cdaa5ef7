// An alert from when it fires until it ends, as routing goes on with it from round to round.
import { severityRank } from '../../kong-plugin/contract/severity';
import type { Alert } from '../alert/alert';
import type { Rule } from '../config/rule';
import type { MuteReasons } from './mute-reasons';
import type { Hidden, Run, SeveritySpan } from './route-state';

/** Of an alert whose severity goes up and down for days; older ones are too long ago for any step. */
const MOST_SEVERITIES = 10;

/** A window may be longer; but what then still fires is news. */
const MOST_LINGERING_MS = 3_600_000;

export function startOf({ sinceMs, firedMs }: Alert): number {
  return sinceMs ?? firedMs ?? 0;
}

export function newRun(alert: Alert, nowMs: number): Run {
  const severities = [{ severity: alert.severity, fromMs: alert.firedMs ?? nowMs }];
  return { alert, startedMs: startOf(alert), severities, mutedSinceMs: undefined, hidden: undefined };
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
  const run = before && isSameRun(before, alert, nowMs) ? goesOn(before, alert, nowMs) : newRun(alert, nowMs);
  const hidden = hiddenAfter(run.hidden, alert, muted?.inhibitedBy, nowMs);
  const isMuted = muted !== undefined || hidden !== undefined;
  if (hidden === run.hidden && isMuted === (run.mutedSinceMs !== undefined)) return run;
  const mutedSinceMs = isMuted ? (run.mutedSinceMs ?? nowMs) : undefined;
  const severities = isMuted ? run.severities : unmuted(run, nowMs);
  return { ...run, hidden, mutedSinceMs, severities };
}

function goesOn(run: Run, alert: Alert, nowMs: number): Run {
  const { severity, acknowledgement } = run.alert;
  const isAsBefore =
    severity === alert.severity &&
    acknowledgement?.atMs === alert.acknowledgement?.atMs &&
    startOf(run.alert) === startOf(alert);
  if (isAsBefore) return run;
  return { ...run, alert, severities: severitiesAfter(run, alert, nowMs) };
}

/** An acknowledgement that ended, mostly because the alert got worse, gives whoever is told first their time again. */
function severitiesAfter({ alert: before, severities }: Run, now: Alert, nowMs: number): Run['severities'] {
  const latest = { severity: now.severity, fromMs: nowMs };
  if (before.acknowledgement !== undefined && now.acknowledgement === undefined) return [latest];
  return before.severity === now.severity ? severities : [...severities, latest].slice(-MOST_SEVERITIES);
}

/** Nobody could be told meanwhile, so nobody has let the time pass. */
function unmuted({ severities, mutedSinceMs = Infinity }: Run, nowMs: number): SeveritySpan[] {
  const mutedForMs = Math.max(0, nowMs - mutedSinceMs);
  return severities.map(({ severity, fromMs }) => ({
    severity,
    fromMs: Math.min(fromMs, mutedSinceMs) + mutedForMs,
  }));
}

/**
 * Once what hides it has ended, the window of an alert still holds the trouble that both were about: told then, it would be news of
 * what is over. So it stays hidden for as long as it would need to end by itself, unless it gets worse.
 */
function hiddenAfter(
  before: Hidden | undefined,
  { rule, severity }: Alert,
  by: string | undefined,
  nowMs: number,
): Hidden | undefined {
  if (by !== undefined) {
    const isSame = before?.by === by && before.severity === severity && before.untilMs === undefined;
    return isSame ? before : { by, severity, untilMs: undefined };
  }
  if (before === undefined || severityRank(severity) > severityRank(before.severity)) return undefined;
  const { untilMs = nowMs + lingeringMsOf(rule) } = before;
  if (nowMs >= untilMs) return undefined;
  return before.untilMs === undefined ? { ...before, untilMs } : before;
}

function lingeringMsOf({ windowMs, keepFiringForMs }: Rule): number {
  return Math.min(windowMs + keepFiringForMs, MOST_LINGERING_MS);
}
