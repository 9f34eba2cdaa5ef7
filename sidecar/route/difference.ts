// What a channel must be told of one alert: the difference between what it knows and what is.
import { severityRank, type Severity } from '../../kong-plugin/contract/severity';
import type { Alert } from '../alert/alert';
import type { ActiveAlert } from './active-alert';
import type { MessageItem } from './message';
import type { End, Knowledge } from './route-state';
import { unnoticedEnd } from './unnoticed-end';

export interface Step {
  readonly item: MessageItem;
  /** By which it waits or is told at once: an end by the worst that the channel was told of the run. */
  readonly severity: Severity;
  /** What the channel knows then; `undefined`: that it is over. */
  readonly after: Knowledge | undefined;
}

/**
 * Nothing, one step, or that an earlier run is over and a new one fires, in this order.
 * A muted alert only ends. Whoever knows of an alert is told that it got worse, even where its new severity is not due there.
 * @param knows `undefined` where the channel does not know that it fires
 * @param now `undefined` where it does not fire
 * @param end how its last run ended, where that is known
 */
export function difference(
  knows: Knowledge | undefined,
  now: ActiveAlert | undefined,
  end: End | undefined,
  channel: string,
  nowMs: number,
): Step[] {
  const isSameRun = knows !== undefined && now?.startedMs === knows.startedMs;
  if (isSameRun) return now.isMuted ? [] : newsOfRun(knows, now, nowMs);
  const steps: Step[] = [];
  if (knows) {
    const last = end ?? (now && unnoticedEnd(asKnown(knows, now), nowMs));
    if (last) steps.push(resolved(last, knows));
  }
  const occasion = now?.due.get(channel);
  if (now && occasion && !now.isMuted) {
    const atMs = occasion === 'fired' ? (now.alert.firedMs ?? nowMs) : nowMs;
    steps.push(step(undefined, now, occasion, atMs, nowMs));
  }
  return steps;
}

/** A severity that has eased is told to nobody, but whoever knows of the alert is told when it rises again. */
export function eased(knows: Knowledge | undefined, now: ActiveAlert | undefined): Knowledge | undefined {
  if (knows === undefined || now?.startedMs !== knows.startedMs) return knows;
  const hasEased = severityRank(now.severity) < severityRank(knows.severity);
  return hasEased ? { ...knows, severity: now.severity } : knows;
}

function newsOfRun(knows: Knowledge, now: ActiveAlert, nowMs: number): Step[] {
  if (severityRank(now.severity) > severityRank(knows.severity))
    return [step(knows, now, 'worsened', nowMs, nowMs)];
  const { acknowledgement } = now.alert;
  if (acknowledgement === undefined || acknowledgement.atMs === knows.acknowledgedMs) return [];
  return [step(knows, now, 'acknowledged', acknowledgement.atMs, nowMs)];
}

/** @param knows of the same run */
function step(
  knows: Knowledge | undefined,
  now: ActiveAlert,
  occasion: MessageItem['occasion'],
  atMs: number,
  nowMs: number,
): Step {
  const { alert, severity, startedMs } = now;
  const acknowledgedMs = alert.acknowledgement?.atMs;
  const worst = worse(severity, knows?.worst);
  return {
    item: { alert, occasion, atMs, endReason: undefined },
    severity,
    after: { severity, worst, startedMs, acknowledgedMs, timeMs: nowMs },
  };
}

function resolved({ alert, endReason, atMs }: End, { worst }: Knowledge): Step {
  const severity = worse(alert.severity, worst);
  return { item: { alert, occasion: 'resolved', atMs, endReason }, severity, after: undefined };
}

/** @param other `undefined`: none to compare with */
export function worse(severity: Severity, other: Severity | undefined): Severity {
  return other !== undefined && severityRank(other) > severityRank(severity) ? other : severity;
}

/** The run before that of an alert, as far as it is known. */
function asKnown({ severity, startedMs }: Knowledge, { alert }: ActiveAlert): Alert {
  return { ...alert, severity, sinceMs: startedMs, acknowledgement: undefined };
}
