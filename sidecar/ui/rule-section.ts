// What the first page says of rules and alerts: for each rule its alerts, those that fire first, and why one is not told of.
import { severityRank } from '../../kong-plugin/contract/severity';
import { isActive, type Alert } from '../alert/alert';
import { alertId, alertKey } from '../alert/alert-key';
import type { Rule } from '../config/rule';
import { describeDuration } from '../notify/describe-duration';
import { describeScope, showName } from '../notify/describe-subject';
import type { MuteReasons } from '../route/mute-reasons';
import { formatThreshold, formatValue } from '../rule/format-value';
import { thresholdsOf } from '../rule/thresholds';
import type { Doubt } from '../rule/verdict';
import { renderTable } from './render-table';

export interface RuleFacts {
  readonly rules: readonly Rule[];
  readonly evaluationIntervalMs: number;
  readonly alerts: readonly Alert[];
  /** By the alert's key; only of those that fire and are not told of. */
  readonly muteReasons: ReadonlyMap<string, MuteReasons>;
  /** Whether there is a Kong to watch. */
  readonly hasKong: boolean;
  readonly nowMs: number;
}

/** Of each rule; a page is read by people. */
const MOST_ROWS = 20;

export function ruleSection(facts: RuleFacts): string[] {
  const { rules, alerts, evaluationIntervalMs } = facts;
  const heading = `RULES, judged every ${describeDuration(evaluationIntervalMs)}`;
  if (rules.length === 0) return [heading, '  NONE: nothing is watched. Add rules to the configuration.'];
  const alertsOf = new Map<string, Alert[]>(rules.map(({ name }) => [name, []]));
  for (const alert of alerts) alertsOf.get(alert.rule.name)?.push(alert);
  const rows = rules.flatMap((rule) => rowsOf(rule, alertsOf.get(rule.name) ?? [], facts));
  return [
    heading,
    ...renderTable([['rule', 'of', 'value', 'breached', 'state'], ...rows]).map((line) => `  ${line}`),
  ];
}

function rowsOf(rule: Rule, alerts: Alert[], facts: RuleFacts): string[][] {
  if (alerts.length === 0) {
    const isOfKong = rule.kind === 'kong_unreachable' || rule.kind === 'target_unhealthy';
    const why =
      (isOfKong || rule.kind === 'observed_ratio') && !facts.hasKong
        ? 'not watched: set kong.status_urls'
        : isOfKong
          ? 'nothing to watch yet'
          : 'no requests yet';
    return [[rule.name, '-', '-', describeThresholds(rule), why]];
  }
  const sorted = [...alerts].sort(
    (a, b) => rankOf(b) - rankOf(a) || describeScope(a.scope).localeCompare(describeScope(b.scope)),
  );
  const shown = sorted.slice(0, MOST_ROWS).map((alert) => rowOf(alert, facts));
  const rest = sorted.length - shown.length;
  return rest === 0 ? shown : [...shown, [rule.name, `and ${rest.toLocaleString('en-US')} more`]];
}

function rowOf(alert: Alert, { muteReasons, nowMs }: RuleFacts): string[] {
  const { rule, scope, verdict } = alert;
  const key = alertKey(rule.name, scope);
  return [
    rule.name,
    scope.level === 'error_type'
      ? `${showName(scope.errorType)} of ${describeScope(scope)}`
      : describeScope(scope),
    verdict.value === undefined ? '-' : formatValue(rule.kind, verdict.value),
    // Overrides have thresholds of their own.
    // Of a burn rate the row that the value is of.
    verdict.windows === undefined
      ? describeThresholds(rule)
      : `over ${formatThreshold(rule.kind, verdict.threshold)}`,
    describeState(alert, nowMs),
    [
      ...(isActive(alert) ? [`id ${alertId(key)}`] : []),
      ...describeMute(muteReasons.get(key)),
      ...(verdict.doubt === undefined ? [] : [DOUBTS[verdict.doubt]]),
    ].join('; '),
  ];
}

/** What fires first, and of that the worst. */
function rankOf(alert: Alert): number {
  const { state, severity } = alert;
  if (isActive(alert)) return 100 + severityRank(severity);
  return state === 'pending' ? 50 : 0;
}

function describeThresholds(rule: Rule): string {
  if (rule.kind === 'kong_unreachable' || rule.kind === 'target_unhealthy' || rule.kind === 'traffic_absence')
    return '-';
  const side = rule.kind === 'apdex' || rule.kind === 'observed_ratio' ? 'under' : 'over';
  const values = thresholdsOf(rule).map(({ value }) => formatThreshold(rule.kind, value));
  return `${side} ${values.join(', ')}`;
}

function describeState(alert: Alert, nowMs: number): string {
  const { state, severity, sinceMs, acknowledgement, isFlapping } = alert;
  const age = sinceMs === undefined ? '' : ` for ${describeDuration(Math.max(0, nowMs - sinceMs))}`;
  const flapping = isFlapping ? ', flapping' : '';
  switch (state) {
    case 'inactive':
      return 'ok';
    case 'unknown':
      return 'cannot tell';
    case 'pending':
      return `pending${age}`;
    case 'firing':
      return `FIRING ${severity}${age}${flapping}`;
    case 'acknowledged':
      return `acknowledged by ${showName(acknowledgement?.by ?? '')}, ${severity}${age}${flapping}`;
    case 'resolved':
      return 'resolved lately';
  }
}

const DOUBTS: Readonly<Record<Doubt, string>> = {
  no_requests: 'no requests',
  too_few_requests: 'too few requests to be sure',
  gap: 'a part of the time is not known',
  kong_unreachable: 'Kong has not said enough yet',
};

function describeMute(reasons: MuteReasons | undefined): string[] {
  if (reasons === undefined) return [];
  return [
    ...reasons.silences.map((id) => `silenced by ${id}`),
    ...reasons.maintenance.map((name) => `in maintenance ${name}`),
    ...(reasons.inhibitedBy === undefined ? [] : ['hidden by another alert']),
    ...(reasons.isGathered ? ['waits for the digest or the end of the quiet hours'] : []),
  ];
}
