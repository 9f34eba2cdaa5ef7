// Counts what the rounds of a replay gave: what became of each alert, and what each channel would have been sent. Times are Unix ms.
// A page is a message with an alert in it that has fired, got worse or escalated; to each channel it is one. A rule has a page where an
// alert of it is among those, so the pages of all rules may be more than those of a channel, whose messages hold several.
import { type Severity, severityRank } from '../../kong-plugin/contract/severity';
import type { Alert } from '../alert/alert';
import type { AlertChange, EndReason } from '../alert/alert-change';
import { alertKey } from '../alert/alert-key';
import type { NotificationPolicy } from '../config/notification-policy';
import type { Rule } from '../config/rule';
import type { RoundOutcome } from '../engine';
import type { Message, Occasion } from '../route/message';
import type { MuteReasons } from '../route/mute-reasons';
import type { RouteState } from '../route/route-state';
import { isKongRule } from '../rule/judge-kong';
import type { Scope } from '../window/scope';

/** Why nobody was told of an alert before it ended. `grouping`: its group waited, or had no step for its severity yet. */
export const SUPPRESSIONS = [
  'inhibition',
  'maintenance',
  'quiet_hours',
  'digest',
  'grouping',
  'no_channel',
] as const;

export type Suppression = (typeof SUPPRESSIONS)[number];

/** One time that an alert fired. */
export interface AlertRun {
  readonly rule: string;
  readonly scope: Scope;
  /** The worst. */
  readonly severity: Severity;
  readonly firedMs: number;
  /** `undefined`: it fires at the end of the past. */
  readonly resolvedMs: number | undefined;
  readonly endReason: EndReason | undefined;
  /** Messages in which it was news. */
  readonly pages: number;
  /** Why nobody was told; empty where somebody was. */
  readonly suppressedBy: readonly Suppression[];
}

export type BySeverity = Readonly<Partial<Record<Severity, number>>>;

export interface RuleCount {
  readonly rule: string;
  /** Rules about Kong are not. */
  readonly isJudged: boolean;
  readonly fired: number;
  readonly worsened: number;
  readonly flapped: number;
  readonly resolved: number;
  readonly longestMs: number;
  /** Of all its alerts together. */
  readonly firingMs: number;
  /** Alerts of which nobody was told. */
  readonly untold: number;
  readonly pages: readonly { readonly channel: string; readonly bySeverity: BySeverity }[];
}

export interface ChannelCount {
  readonly channel: string;
  readonly pages: BySeverity;
  /** Repeats, and messages that somebody knows or that it is over. */
  readonly otherMessages: number;
}

/** It is told of everything but what is in maintenance, whatever the escalation says, and decides itself who hears of it. */
export interface AlertmanagerCount {
  readonly channel: string;
  readonly alerts: number;
}

/** What a tally asks of the engine after a round. */
export interface RoundState {
  readonly routeState: RouteState;
  readonly muteReasons: () => ReadonlyMap<string, MuteReasons>;
}

interface Run {
  readonly key: string;
  readonly rule: string;
  readonly scope: Scope;
  severity: Severity;
  readonly firedMs: number;
  resolvedMs: number | undefined;
  endReason: EndReason | undefined;
  pages: number;
  isTold: boolean;
  isToldToAlertmanagers: boolean;
  readonly suppressedBy: Set<Suppression>;
}

type SeverityCounts = Partial<Record<Severity, number>>;

const PAGES: readonly Occasion[] = ['fired', 'worsened', 'escalated'];

export class ReplayTally {
  readonly #policy: NotificationPolicy;
  readonly #rules: readonly Rule[];
  readonly #channels: readonly string[];
  readonly #alertmanagers: readonly string[];
  /** In the order in which they fired, by `runKey`. */
  readonly #runs = new Map<string, Run>();
  readonly #firing = new Set<Run>();
  readonly #changes = new Map<string, number>();
  readonly #rulePages = new Map<string, SeverityCounts>();
  readonly #channelPages = new Map<string, SeverityCounts>();
  readonly #otherMessages = new Map<string, number>();

  /** @param alertmanagers names of channels that the routing does not decide for */
  constructor(
    policy: NotificationPolicy,
    rules: readonly Rule[],
    channels: readonly string[],
    alertmanagers: readonly string[],
  ) {
    this.#alertmanagers = alertmanagers;
    this.#policy = policy;
    this.#rules = rules;
    this.#channels = channels;
  }

  take({ changes, messages }: RoundOutcome, state: RoundState): void {
    for (const change of changes) this.#takeChange(change);
    for (const message of messages) this.#takeMessage(message);
    if (this.#alertmanagers.length > 0) this.#tellAlertmanagers(state);
    this.#findUntold(state);
  }

  runs(): AlertRun[] {
    return [...this.#runs.values()].map((run) => ({
      rule: run.rule,
      scope: run.scope,
      severity: run.severity,
      firedMs: run.firedMs,
      resolvedMs: run.resolvedMs,
      endReason: run.endReason,
      pages: run.pages,
      suppressedBy: run.isTold ? [] : SUPPRESSIONS.filter((known) => run.suppressedBy.has(known)),
    }));
  }

  /** @param endMs when those that still fire are taken to end */
  rules(endMs: number): RuleCount[] {
    return this.#rules.map((judged) => {
      const { name: rule } = judged;
      const runs = [...this.#runs.values()].filter((run) => run.rule === rule);
      const lengthsMs = runs.map(({ firedMs, resolvedMs = endMs }) => resolvedMs - firedMs);
      const counted = (kind: AlertChange['kind']): number => this.#changes.get(`${kind} ${rule}`) ?? 0;
      return {
        rule,
        isJudged: !isKongRule(judged),
        fired: counted('fired'),
        worsened: counted('worsened'),
        flapped: counted('flapped'),
        resolved: counted('resolved'),
        longestMs: Math.max(0, ...lengthsMs),
        firingMs: lengthsMs.reduce((sum, ms) => sum + ms, 0),
        untold: runs.filter(({ isTold }) => !isTold).length,
        pages: this.#channels.flatMap((channel) => {
          const bySeverity = this.#rulePages.get(pageKey(rule, channel));
          return bySeverity === undefined ? [] : [{ channel, bySeverity }];
        }),
      };
    });
  }

  channels(): ChannelCount[] {
    return this.#channels.map((channel) => ({
      channel,
      pages: this.#channelPages.get(channel) ?? {},
      otherMessages: this.#otherMessages.get(channel) ?? 0,
    }));
  }

  alertmanagers(): AlertmanagerCount[] {
    const alerts = [...this.#runs.values()].filter((run) => run.isToldToAlertmanagers).length;
    return this.#alertmanagers.map((channel) => ({ channel, alerts }));
  }

  #takeChange({ kind, alert, atMs, endReason }: AlertChange): void {
    const { rule, scope, severity } = alert;
    count(this.#changes, `${kind} ${rule.name}`);
    if (kind === 'fired') {
      const fresh: Run = {
        key: alertKey(rule.name, scope),
        rule: rule.name,
        scope,
        severity,
        firedMs: atMs,
        resolvedMs: undefined,
        endReason: undefined,
        pages: 0,
        isTold: false,
        isToldToAlertmanagers: false,
        suppressedBy: new Set(),
      };
      this.#runs.set(runKey(alert), fresh);
      this.#firing.add(fresh);
      return;
    }
    const run = this.#runs.get(runKey(alert));
    if (run === undefined) return;
    run.severity = worse(run.severity, severity);
    if (kind !== 'resolved') return;
    Object.assign(run, { resolvedMs: atMs, endReason });
    this.#firing.delete(run);
  }

  #takeMessage({ channel, items }: Message): void {
    const worstByRule = new Map<string, Severity>();
    for (const { alert, occasion } of items) {
      if (!PAGES.includes(occasion)) continue;
      const { name } = alert.rule;
      worstByRule.set(name, worse(worstByRule.get(name), alert.severity));
      const run = this.#runs.get(runKey(alert));
      if (run) Object.assign(run, { pages: run.pages + 1, isTold: true });
    }
    if (worstByRule.size === 0) {
      count(this.#otherMessages, channel);
      return;
    }
    for (const [rule, severity] of worstByRule)
      countSeverity(this.#rulePages, pageKey(rule, channel), severity);
    const worst = [...worstByRule.values()].reduce((a, b) => worse(a, b));
    countSeverity(this.#channelPages, channel, worst);
  }

  #tellAlertmanagers({ muteReasons }: RoundState): void {
    const fresh = [...this.#firing].filter((run) => !run.isToldToAlertmanagers);
    if (fresh.length === 0) return;
    const reasons = muteReasons();
    for (const run of fresh) {
      const isInMaintenance = (reasons.get(run.key)?.maintenance.length ?? 0) > 0;
      if (!isInMaintenance) Object.assign(run, { isTold: true, isToldToAlertmanagers: true });
    }
  }

  #findUntold({ routeState, muteReasons }: RoundState): void {
    const untold = [...this.#firing].filter(({ isTold }) => !isTold);
    if (untold.length === 0) return;
    const states = [...routeState.channels.values()];
    // A message has room for some of its alerts only.
    for (const run of untold) run.isTold = states.some(({ notes }) => notes.get(run.key)?.sent !== undefined);
    const stillUntold = untold.filter(({ isTold }) => !isTold);
    if (stillUntold.length === 0) return;
    const reasons = muteReasons();
    for (const run of stillUntold) {
      const muted = reasons.get(run.key);
      if (muted?.inhibitedBy !== undefined) run.suppressedBy.add('inhibition');
      if (muted !== undefined && muted.maintenance.length > 0) run.suppressedBy.add('maintenance');
      if (muted === undefined) run.suppressedBy.add(this.#whyWaiting(run.severity));
    }
  }

  #whyWaiting(severity: Severity): Suppression {
    const { escalation, quietHours, digest } = this.#policy;
    if (!escalation.some(({ severities, channels }) => channels.length > 0 && severities.includes(severity)))
      return 'no_channel';
    if (digest?.severities.includes(severity)) return 'digest';
    return quietHours?.severities.includes(severity) ? 'quiet_hours' : 'grouping';
  }
}

/** The most severe first, and of those the longest. @param endMs when those that still fire are taken to end */
export function worstOf(runs: readonly AlertRun[], endMs: number, most: number): AlertRun[] {
  const lengthOf = ({ firedMs, resolvedMs = endMs }: AlertRun): number => resolvedMs - firedMs;
  return [...runs]
    .sort((a, b) => severityRank(b.severity) - severityRank(a.severity) || lengthOf(b) - lengthOf(a))
    .slice(0, most);
}

export function sumOf(bySeverity: BySeverity): number {
  return Object.values(bySeverity).reduce((sum, pages) => sum + pages, 0);
}

function worse(a: Severity | undefined, b: Severity): Severity {
  return a !== undefined && severityRank(a) > severityRank(b) ? a : b;
}

function runKey({ rule, scope, firedMs }: Alert): string {
  return `${alertKey(rule.name, scope)}${firedMs}`;
}

function pageKey(rule: string, channel: string): string {
  return `${rule}\0${channel}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function countSeverity(counts: Map<string, SeverityCounts>, key: string, severity: Severity): void {
  const ofKey = counts.get(key) ?? {};
  ofKey[severity] = (ofKey[severity] ?? 0) + 1;
  counts.set(key, ofKey);
}
