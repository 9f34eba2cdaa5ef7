// The life of one alert, one round at a time:
//
//   verdict       inactive, unknown, resolved     pending                        firing, acknowledged
//   breached      pending; firing where a         firing once a severity has     the same; firing with a worse severity
//                 severity needs no `for`         lasted its `for`               once that has lasted its `for`; the same with
//                                                                                a milder one after a calm of 15 minutes
//   between       inactive                        inactive                       the same
//   healthy       inactive                        inactive                       the same, and resolved once it has been
//                                                                                healthy for as long as it must
//   cannot_tell   unknown                         unknown                        the same, and resolved after 24 hours
//                                                                                (`not_observed`)
//
// A resolved alert is shown as resolved for 15 minutes, unless it is breached before that; then it is inactive or unknown.
// Each severity has its own `for`: one counts from when it, or a worse one, was first breached without a pause. The severity of
// a pending alert is that of its verdict. While it fires each rise is told, and ends an acknowledgement. It eases to what is breached
// once its own severity, or a worse one, has not been for a while (`EASING_CALM_MS`); nobody is told of that, and an acknowledgement
// stays. Without it the next incident would be none: a mild breach may hold an alert for hours after a severe one.
// An alert is healthy without a pause where no round was breached or between, and milder where none was as bad as it is. Rounds that
// could not tell do not count for either and do not interrupt it, or an alert on sparse traffic would never end; but after a gap
// both begin anew. A round that cannot tell but for one thing, that nothing as bad as the alert is breached, is a milder one.
// A clock that was set back cannot make anything begin in the future: it then begins now, so that all comes later, not earlier.
import { SEVERITIES, type Severity, severityRank } from '../../kong-plugin/contract/severity';
import type { Rule } from '../config/rule';
import { mildestSeverityOf } from '../rule/thresholds';
import type { Verdict } from '../rule/verdict';
import type { Scope } from '../window/scope';
import { isActive, withTimes, type Alert } from './alert';
import type { AlertChange, EndReason } from './alert-change';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** An alert that fires so often in so long is flapping: twice may be one trouble that was mended in two steps. */
export const FLAPPING_FIRINGS = 3;
export const FLAPPING_WITHIN_MS = HOUR_MS;

/** Of health, before a flapping alert is resolved: it then fires four times an hour at most, instead of every few rounds. */
export const FLAPPING_CALM_MS = 15 * MINUTE_MS;

/** Without a breach as bad as it, before the severity of an alert eases: so it rises four times an hour at most. */
export const EASING_CALM_MS = FLAPPING_CALM_MS;

/** After a day of not knowing, an alert says more of the watch than of what is watched. */
export const MOST_UNOBSERVED_MS = 24 * HOUR_MS;

/** Long enough for somebody who comes to look after they were told. */
export const RESOLVED_VISIBLE_MS = 15 * MINUTE_MS;

export interface AlertAdvance {
  readonly alert: Alert;
  /** In the order in which they happened; mostly none. */
  readonly changes: readonly AlertChange[];
}

const NO_CHANGES: readonly AlertChange[] = [];
const NEVER_BREACHED: Alert['breachedSinceMs'] = {};
const NOTHING_BEGUN = { healthySinceMs: undefined, milderSinceMs: undefined };
const NO_FIRINGS: readonly number[] = [];

/**
 * The alert after one more round.
 * @param previous `undefined` before the first round; its rule may be an older version of `rule`, but of the same kind
 * @param rule as it holds for the scope, overrides applied
 * @param nowMs Unix ms of the round
 */
export function advanceAlert(
  previous: Alert | undefined,
  rule: Rule,
  scope: Scope,
  verdict: Verdict,
  nowMs: number,
): AlertAdvance {
  const before = previous && noneInTheFuture(previous, nowMs);
  const round: Round = {
    rule,
    scope,
    verdict,
    breachedSinceMs: breachedSince(before, rule, verdict, nowMs),
    unknownSinceMs: verdict.state === 'cannot_tell' ? (before?.unknownSinceMs ?? nowMs) : undefined,
  };
  if (before && isActive(before)) return advanceActive(before, round, nowMs);
  if (verdict.state === 'breached') return advanceBreached(before, round, nowMs);
  if (before?.resolvedMs !== undefined && nowMs - before.resolvedMs < RESOLVED_VISIBLE_MS)
    return { alert: { ...before, ...round }, changes: NO_CHANGES };
  const state = verdict.state === 'cannot_tell' ? 'unknown' : 'inactive';
  return { alert: quiet(state, before, round, nowMs), changes: NO_CHANGES };
}

/** An alert that ends without a verdict, since its rule is gone: one that fires is resolved, and of others nothing is told. */
export function endAlert(alert: Alert, endReason: EndReason, nowMs: number): AlertAdvance {
  const before = noneInTheFuture(alert, nowMs);
  if (isActive(before)) return resolve(before, endReason, nowMs);
  const round: Round = { ...before, breachedSinceMs: NEVER_BREACHED, unknownSinceMs: undefined };
  return { alert: quiet('inactive', before, round, nowMs), changes: NO_CHANGES };
}

export type AcknowledgeAnswer =
  | { readonly outcome: 'acknowledged'; readonly alert: Alert; readonly change: AlertChange }
  /** By the same person, who now says nothing new. */
  | { readonly outcome: 'already_acknowledged'; readonly alert: Alert }
  | { readonly outcome: 'not_firing'; readonly alert: Alert };

/**
 * Somebody says that they know of an alert. One that does not fire stays as it is. The latest word holds: somebody else takes
 * the alert over, and the same person may say something else; who only says it again has said it the first time.
 * @param comment may be empty
 * @param nowMs Unix ms
 */
export function acknowledge(alert: Alert, by: string, comment: string, nowMs: number): AcknowledgeAnswer {
  if (!isActive(alert)) return { outcome: 'not_firing', alert };
  const known = alert.acknowledgement;
  if (known?.by === by && (comment === '' || known.comment === comment))
    return { outcome: 'already_acknowledged', alert };
  const acknowledged: Alert = {
    ...noneInTheFuture(alert, nowMs),
    state: 'acknowledged',
    acknowledgement: { by, comment, atMs: nowMs },
  };
  return {
    outcome: 'acknowledged',
    alert: acknowledged,
    change: changeOf('acknowledged', acknowledged, nowMs),
  };
}

/** What every round says anew of an alert, whatever its state. */
type Round = Pick<Alert, 'rule' | 'scope' | 'verdict' | 'breachedSinceMs' | 'unknownSinceMs'>;

function advanceActive(before: Alert, round: Round, nowMs: number): AlertAdvance {
  switch (round.verdict.state) {
    case 'breached':
      return advanceSeverity(before, round, nowMs);
    case 'between': {
      const milderSinceMs = milderSince(before, nowMs);
      return {
        alert: { ...before, ...round, healthySinceMs: undefined, milderSinceMs },
        changes: NO_CHANGES,
      };
    }
    case 'cannot_tell': {
      const begun = round.verdict.doubt === 'gap' ? NOTHING_BEGUN : {};
      const alert: Alert = { ...before, ...round, ...begun };
      if (nowMs - (round.unknownSinceMs ?? nowMs) >= MOST_UNOBSERVED_MS)
        return resolve(alert, 'not_observed', nowMs);
      return { alert: eased(alert, before, nowMs), changes: NO_CHANGES };
    }
    case 'healthy': {
      const healthySinceMs = sinceWithoutPause(before.healthySinceMs, before, nowMs);
      const milderSinceMs = milderSince(before, nowMs);
      const alert: Alert = { ...before, ...round, healthySinceMs, milderSinceMs };
      if (nowMs - healthySinceMs < calmMs(alert)) return { alert, changes: NO_CHANGES };
      return resolve(alert, 'recovered', nowMs);
    }
  }
}

/** Of one that fires and is breached: it gets worse, eases or stays as bad as it is. */
function advanceSeverity(before: Alert, round: Round, nowMs: number): AlertAdvance {
  const alert: Alert = { ...before, ...round, ...NOTHING_BEGUN };
  const worst = worstThatLasted(round, nowMs);
  if (worst !== undefined && severityRank(worst) > severityRank(before.severity)) {
    const worse: Alert = { ...alert, state: 'firing', severity: worst, acknowledgement: undefined };
    return { alert: worse, changes: [changeOf('worsened', worse, nowMs)] };
  }
  return { alert: eased(alert, before, nowMs), changes: NO_CHANGES };
}

/** The alert itself where something as bad as it may be breached. */
function eased(alert: Alert, before: Alert, nowMs: number): Alert {
  const worst = worstPossible(alert);
  if (worst === undefined || severityRank(worst) >= severityRank(before.severity)) return alert;
  const milderSinceMs = milderSince(before, nowMs);
  const hasEased = nowMs - milderSinceMs >= easingCalmMs(alert.rule);
  return hasEased ? { ...alert, severity: worst, milderSinceMs: undefined } : { ...alert, milderSinceMs };
}

/** The worst that is breached, or may be though the rule cannot tell; `undefined` where it says nothing of that. */
function worstPossible({ rule, verdict }: Pick<Round, 'rule' | 'verdict'>): Severity | undefined {
  if (verdict.worstPossible !== undefined) return verdict.worstPossible;
  return verdict.state === 'breached' ? severityOf({ rule, verdict }) : undefined;
}

/** A round that could not tell, but knew this much, was none in which nothing was known. */
function milderSince(before: Alert, nowMs: number): number {
  const worst = worstPossible(before);
  const wasKnown = worst !== undefined && severityRank(worst) < severityRank(before.severity);
  return wasKnown ? (before.milderSinceMs ?? nowMs) : sinceWithoutPause(before.milderSinceMs, before, nowMs);
}

/** Of something that goes on now: when it began, later by as long as the rule could not tell before this round. */
function sinceWithoutPause(
  sinceMs: number | undefined,
  { unknownSinceMs = Infinity }: Alert,
  nowMs: number,
): number {
  // It may have begun in the pause.
  return sinceMs === undefined ? nowMs : Math.min(nowMs, sinceMs + Math.max(0, nowMs - unknownSinceMs));
}

function easingCalmMs({ forMs, keepFiringForMs }: Rule): number {
  return Math.max(EASING_CALM_MS, forMs, keepFiringForMs);
}

function calmMs({ rule, isFlapping }: Alert): number {
  return isFlapping ? Math.max(rule.keepFiringForMs, FLAPPING_CALM_MS) : rule.keepFiringForMs;
}

function advanceBreached(before: Alert | undefined, round: Round, nowMs: number): AlertAdvance {
  const severity = worstThatLasted(round, nowMs);
  const pending: Alert = {
    ...quiet('pending', before, round, nowMs),
    severity: severity ?? severityOf(round),
    sinceMs: (before?.state === 'pending' ? before.sinceMs : undefined) ?? nowMs,
  };
  if (severity === undefined) return { alert: pending, changes: NO_CHANGES };
  const firings = [...pending.firings, nowMs];
  const isFlapping = firings.length >= FLAPPING_FIRINGS;
  const firing: Alert = { ...pending, state: 'firing', firedMs: nowMs, firings, isFlapping };
  const fired = changeOf('fired', firing, nowMs);
  return { alert: firing, changes: isFlapping ? [fired, changeOf('flapped', firing, nowMs)] : [fired] };
}

function resolve(alert: Alert, endReason: EndReason, nowMs: number): AlertAdvance {
  const resolved: Alert = {
    ...alert,
    state: 'resolved',
    breachedSinceMs: NEVER_BREACHED,
    ...NOTHING_BEGUN,
    resolvedMs: nowMs,
    isFlapping: false,
  };
  return { alert: resolved, changes: [{ ...changeOf('resolved', resolved, nowMs), endReason }] };
}

/** An alert without anything of a run. */
function quiet(state: Alert['state'], before: Alert | undefined, round: Round, nowMs: number): Alert {
  const isQuietStill = before !== undefined && before.rule === round.rule && before.sinceMs === undefined;
  return {
    rule: round.rule,
    scope: round.scope,
    state,
    severity: isQuietStill ? before.severity : mildestSeverityOf(round.rule),
    verdict: round.verdict,
    sinceMs: undefined,
    breachedSinceMs: round.breachedSinceMs,
    firedMs: undefined,
    ...NOTHING_BEGUN,
    unknownSinceMs: round.unknownSinceMs,
    resolvedMs: undefined,
    acknowledgement: undefined,
    firings: lateFirings(before?.firings ?? NO_FIRINGS, nowMs),
    isFlapping: false,
  };
}

function changeOf(kind: AlertChange['kind'], alert: Alert, atMs: number): AlertChange {
  return { kind, alert, atMs, endReason: undefined };
}

function breachedSince(
  before: Alert | undefined,
  rule: Rule,
  verdict: Verdict,
  nowMs: number,
): Alert['breachedSinceMs'] {
  if (verdict.state !== 'breached') return NEVER_BREACHED;
  const severity = severityOf({ rule, verdict });
  const known = before?.breachedSinceMs ?? NEVER_BREACHED;
  const isBreached = (other: Severity): boolean => severityRank(other) <= severityRank(severity);
  if (SEVERITIES.every((other) => isBreached(other) === (known[other] !== undefined))) return known;
  return Object.fromEntries(SEVERITIES.filter(isBreached).map((other) => [other, known[other] ?? nowMs]));
}

/** Of a breach. */
function severityOf({ rule, verdict }: Pick<Round, 'rule' | 'verdict'>): Severity {
  return verdict.severity ?? mildestSeverityOf(rule);
}

function worstThatLasted({ rule, breachedSinceMs }: Round, nowMs: number): Severity | undefined {
  return SEVERITIES.findLast((severity) => {
    const sinceMs = breachedSinceMs[severity];
    return sinceMs !== undefined && nowMs - sinceMs >= rule.forMs;
  });
}

function lateFirings(firings: readonly number[], nowMs: number): readonly number[] {
  if (firings.length === 0) return NO_FIRINGS;
  return firings.filter((ms) => nowMs - ms < FLAPPING_WITHIN_MS);
}

/** The alert itself where the clock was not set back. */
function noneInTheFuture(alert: Alert, nowMs: number): Alert {
  return latestMs(alert) > nowMs ? withTimes(alert, (ms) => Math.min(ms, nowMs)) : alert;
}

/** Of all moments in it. Asked of every alert in every round, so it makes no lists. */
function latestMs(alert: Alert): number {
  let latest = Math.max(
    alert.sinceMs ?? -Infinity,
    alert.firedMs ?? -Infinity,
    alert.healthySinceMs ?? -Infinity,
    alert.milderSinceMs ?? -Infinity,
    alert.unknownSinceMs ?? -Infinity,
    alert.resolvedMs ?? -Infinity,
    alert.acknowledgement?.atMs ?? -Infinity,
  );
  for (const severity of SEVERITIES) latest = Math.max(latest, alert.breachedSinceMs[severity] ?? -Infinity);
  for (const ms of alert.firings) latest = Math.max(latest, ms);
  return latest;
}
