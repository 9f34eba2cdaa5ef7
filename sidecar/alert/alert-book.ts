// Every alert there is: one for each rule and each service that was seen in a window or still has an alert.
// One round judges them all against the windows and gives what people must be told. A round that throws changes nothing.
// The book is in memory: a restart begins with inactive alerts.
import type { Rule } from '../config/config';
import { judge } from '../rule/judge';
import type { ServiceWindows } from '../window/service-windows';
import type { Tally } from '../window/tally';
import { advanceAlert, endAlert } from './advance-alert';
import type { Alert } from './alert';
import type { AlertChange } from './alert-change';
import { alertKey } from './alert-key';

export class AlertBook {
  #alerts: ReadonlyMap<string, Alert> = new Map();

  /** The alerts after the latest round, inactive ones included, in no particular order. */
  alerts(): Iterable<Alert> {
    return this.#alerts.values();
  }

  /**
   * Judges every rule for every service, once.
   * A rule that changed under its name goes on with its alerts; the alerts of a rule that is gone, or that now measures
   * something else, end, and a firing one is told as resolved. An inactive alert of a service that no window holds any more is forgotten.
   * @param nowMs Unix ms
   */
  evaluateRound(rules: readonly Rule[], windows: ServiceWindows, nowMs: number): AlertChange[] {
    const next = new Map<string, Alert>();
    const changes = this.#changesOfRemovedRules(rules, nowMs);
    for (const service of this.#servicesToJudge(windows)) {
      const tallies = new Map<number, Tally>();
      for (const rule of rules) {
        const tally = tallies.get(rule.windowMs) ?? windows.tallyOf(service, nowMs, rule.windowMs);
        tallies.set(rule.windowMs, tally);
        const key = alertKey(rule.name, service);
        const previous = this.#alerts.get(key);
        const { alert, change } = advanceAlert(
          previous?.rule.kind === rule.kind ? previous : undefined,
          rule,
          service,
          judge(rule, tally),
          nowMs,
        );
        next.set(key, alert);
        if (change) changes.push(change);
      }
    }
    this.#alerts = next;
    return changes;
  }

  #servicesToJudge(windows: ServiceWindows): Set<string> {
    const services = new Set(windows.services());
    for (const { state, service } of this.#alerts.values()) if (state !== 'inactive') services.add(service);
    return services;
  }

  #changesOfRemovedRules(rules: readonly Rule[], nowMs: number): AlertChange[] {
    const kinds = new Map(rules.map(({ name, kind }) => [name, kind]));
    return [...this.#alerts.values()]
      .filter(({ rule }) => kinds.get(rule.name) !== rule.kind)
      .flatMap((alert) => endAlert(alert, nowMs) ?? []);
  }
}
