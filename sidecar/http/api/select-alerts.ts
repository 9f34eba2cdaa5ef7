// Which alerts are asked for, and in which order they are told: what fires first, and of that the most severe, and of those the newest.
import { isActive, type Alert, type AlertState } from '../../alert/alert';
import { alertKey } from '../../alert/alert-key';
import { type Severity, severityRank } from '../../../kong-plugin/contract/severity';
import { labelsOf } from '../../window/scope';

/** Each list: any of it; `undefined`: all. */
export interface AlertFilter {
  /** `active`: firing and acknowledged. `undefined`: all but inactive. */
  readonly state?: readonly (AlertState | 'active')[] | undefined;
  readonly severity?: readonly Severity[] | undefined;
  readonly rule?: readonly string[] | undefined;
  readonly service?: readonly string[] | undefined;
}

export function selectAlerts(alerts: readonly Alert[], filter: AlertFilter): Alert[] {
  return alerts
    .filter((alert) => isAskedFor(alert, filter))
    .map((alert) => ({ alert, key: alertKey(alert.rule.name, alert.scope) }))
    .sort((a, b) => compare(a.alert, b.alert) || (a.key < b.key ? -1 : 1))
    .map(({ alert }) => alert);
}

function isAskedFor(alert: Alert, { state, severity, rule, service }: AlertFilter): boolean {
  const ofService = labelsOf(alert.scope).service;
  return (
    (state === undefined
      ? alert.state !== 'inactive'
      : state.includes(alert.state) || (isActive(alert) && state.includes('active'))) &&
    (severity === undefined || severity.includes(alert.severity)) &&
    (rule === undefined || rule.includes(alert.rule.name)) &&
    (service === undefined || (ofService !== undefined && service.includes(ofService)))
  );
}

/** Those that fire are one, whether or not somebody knows of them. */
const RANKS: Readonly<Record<AlertState, number>> = {
  firing: 4,
  acknowledged: 4,
  pending: 3,
  resolved: 2,
  unknown: 1,
  inactive: 0,
};

function compare(a: Alert, b: Alert): number {
  return (
    RANKS[b.state] - RANKS[a.state] ||
    severityRank(b.severity) - severityRank(a.severity) ||
    Number(b.state === 'firing') - Number(a.state === 'firing') ||
    (b.sinceMs ?? 0) - (a.sinceMs ?? 0)
  );
}
