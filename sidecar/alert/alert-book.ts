// Every alert there is: one for each rule and each scope that the rule covers and that is there, or that still has an alert.
// One round judges them all and gives what has changed. A round that throws changes nothing.
// The book knows neither windows nor Kong: it is told which scopes there are, and asks for a verdict on each.
// A round over 10,000 alerts costs some ms besides the judging: the key of a scope is worked out once for each scope object,
// and what a rule is for a scope once for each version of the rule.
import type { Rule, ScopeLevel } from '../config/rule';
import { ruleFor } from '../rule/rule-for';
import type { Verdict } from '../rule/verdict';
import { scopeKey, type Scope } from '../window/scope';
import { acknowledge, advanceAlert, endAlert, type AcknowledgeAnswer } from './advance-alert';
import type { Alert } from './alert';
import type { AlertChange } from './alert-change';
import { alertId, alertKey } from './alert-key';

/** What a round judges, as it is at that moment. */
export interface Subjects {
  /** Each scope once. It costs least where a scope is the same object in every round. */
  scopes(level: ScopeLevel): Iterable<Scope>;
  /** Whether a scope that is not there is watched all the same, and may come back. */
  isWatched(scope: Scope): boolean;
  /** @param rule as it holds for the scope @param scope may be one that is not there but watched */
  judge(rule: Rule, scope: Scope): Verdict;
}

/** The place of one alert. */
interface Watch {
  readonly key: string;
  readonly scope: Scope;
  /** The rule of the configuration that `held` was worked out from. */
  rule: Rule | undefined;
  /** The rule as it holds for the scope; `undefined` where it does not cover it. */
  held: Rule | undefined;
  alert: Alert | undefined;
  /** Worked out when it is asked for. */
  id: string | undefined;
  /** The latest round that had the scope. */
  round: number;
}

/** Scope key -> watch, of one rule. */
type Watches = Map<string, Watch>;

/** What a round found, before it is taken over. */
interface Findings {
  readonly alerts: { readonly watch: Watch; readonly alert: Alert | undefined }[];
  readonly changes: AlertChange[];
}

export class AlertBook {
  /** By the rule's name. */
  #watches = new Map<string, Watches>();
  readonly #keys = new WeakMap<Scope, string>();
  #round = 0;

  /** The alerts after the latest round, inactive ones included, in no particular order. */
  *alerts(): Generator<Alert, void> {
    for (const watches of this.#watches.values())
      for (const { alert } of watches.values()) if (alert) yield alert;
  }

  /** @param id see `alertId` */
  find(id: string): Alert | undefined {
    return this.#watchOf(id)?.alert;
  }

  /** Takes over the alerts of an earlier process; the next round goes on with them, and ends those whose rule is gone. */
  restore(alerts: Iterable<Alert>): void {
    for (const alert of alerts) this.#watchFor(this.#watchesOf(alert.rule.name), alert.scope).alert = alert;
  }

  /**
   * Judges every rule for every scope of its level that it covers and that is there or has an alert, once.
   * A rule that changed under its name goes on with its alerts. Alerts of a rule that is gone, that now measures something else
   * or no longer covers their scope end, and so do those of a scope that is not watched any more. One of a scope that is gone and
   * may come back is forgotten once nothing of it matters any more.
   * @param nowMs Unix ms
   */
  evaluateRound(rules: readonly Rule[], subjects: Subjects, nowMs: number): AlertChange[] {
    this.#round += 1;
    const findings: Findings = { alerts: [], changes: [] };
    const watched = new Map(rules.map((rule) => [rule.name, this.#watchesOf(rule.name)]));
    for (const [name, watches] of this.#watches)
      if (!watched.has(name)) for (const watch of watches.values()) end(watch, findings, nowMs);
    const scopes = new Map<ScopeLevel, Scope[]>();
    for (const rule of rules) {
      const watches = this.#watchesOf(rule.name);
      const there = scopes.get(rule.each) ?? [...subjects.scopes(rule.each)];
      scopes.set(rule.each, there);
      for (const scope of there) {
        const watch = this.#watchFor(watches, scope);
        watch.round = this.#round;
        advance(watch, rule, subjects, findings, nowMs);
      }
      for (const watch of watches.values())
        if (watch.round !== this.#round) advanceAbsent(watch, rule, subjects, findings, nowMs);
    }
    this.#watches = watched;
    for (const { watch, alert } of findings.alerts) watch.alert = alert;
    this.#forgetAbsent();
    return findings.changes;
  }

  /**
   * Somebody says that they know of an alert.
   * @param comment may be empty
   * @param nowMs Unix ms
   */
  acknowledge(
    id: string,
    by: string,
    comment: string,
    nowMs: number,
  ): AcknowledgeAnswer | { readonly outcome: 'not_found' } {
    const watch = this.#watchOf(id);
    if (!watch?.alert) return { outcome: 'not_found' };
    const answer = acknowledge(watch.alert, by, comment, nowMs);
    watch.alert = answer.alert;
    return answer;
  }

  #watchOf(id: string): Watch | undefined {
    for (const [name, watches] of this.#watches)
      for (const watch of watches.values()) {
        watch.id ??= alertId(alertKey(name, watch.scope));
        if (watch.id === id) return watch;
      }
    return undefined;
  }

  #watchesOf(ruleName: string): Watches {
    const known = this.#watches.get(ruleName);
    if (known) return known;
    const watches: Watches = new Map();
    this.#watches.set(ruleName, watches);
    return watches;
  }

  #watchFor(watches: Watches, scope: Scope): Watch {
    const key = this.#keyOf(scope);
    const known = watches.get(key);
    if (known) return known;
    const unset = { rule: undefined, held: undefined, alert: undefined, id: undefined, round: 0 };
    const watch: Watch = { key, scope, ...unset };
    watches.set(key, watch);
    return watch;
  }

  #keyOf(scope: Scope): string {
    const known = this.#keys.get(scope);
    if (known !== undefined) return known;
    const key = scopeKey(scope);
    this.#keys.set(scope, key);
    return key;
  }

  #forgetAbsent(): void {
    for (const watches of this.#watches.values())
      for (const [key, { alert, round }] of watches) if (!alert && round !== this.#round) watches.delete(key);
  }
}

function advance(watch: Watch, rule: Rule, subjects: Subjects, findings: Findings, nowMs: number): void {
  if (watch.rule !== rule) {
    watch.rule = rule;
    watch.held = ruleFor(rule, watch.scope);
  }
  const { held, scope, alert: previous } = watch;
  const isOther = previous !== undefined && previous.rule.kind !== held?.kind;
  if (isOther) end(watch, findings, nowMs);
  if (!held) return;
  const verdict = subjects.judge(held, scope);
  const { alert, changes } = advanceAlert(isOther ? undefined : previous, held, scope, verdict, nowMs);
  findings.alerts.push({ watch, alert });
  for (const change of changes) findings.changes.push(change);
}

/** Of a scope that is gone: what was in the alert still matters while it is in a run or fired lately. */
function advanceAbsent(
  watch: Watch,
  rule: Rule,
  subjects: Subjects,
  findings: Findings,
  nowMs: number,
): void {
  const { alert } = watch;
  const matters = alert && (alert.sinceMs !== undefined || alert.firings.length > 0);
  if (matters && !subjects.isWatched(watch.scope)) end(watch, findings, nowMs);
  else if (matters) advance(watch, rule, subjects, findings, nowMs);
  else findings.alerts.push({ watch, alert: undefined });
}

function end(watch: Watch, findings: Findings, nowMs: number): void {
  findings.alerts.push({ watch, alert: undefined });
  if (!watch.alert) return;
  for (const change of endAlert(watch.alert, 'rule_removed', nowMs).changes) findings.changes.push(change);
}
