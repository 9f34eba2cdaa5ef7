// An alert that fires or is acknowledged, with all that a round of routing needs to know of it.
import type { Alert } from '../alert/alert';
import { alertKey } from '../alert/alert-key';
import type { AlertLabel, AlertLabels } from '../config/notification-policy';
import type { Scope } from '../window/scope';
import { alertLabels, labelsKey } from './alert-labels';
import type { DueChannels } from './escalation';
import type { Firing } from './inhibition';

export interface ActiveAlert extends Firing {
  readonly alert: Alert;
  /** Which run of it, see `Run`. */
  readonly startedMs: number;
  readonly group: Group;
  readonly due: DueChannels;
  readonly isMuted: boolean;
}

export interface Group {
  readonly key: string;
  readonly labels: Readonly<Partial<Record<AlertLabel, string>>>;
}

/** What an alert is called, and with which others it is told. */
export interface AlertNames {
  readonly key: string;
  readonly labels: AlertLabels;
  readonly group: Group;
}

interface Known extends AlertNames {
  readonly groupBy: readonly AlertLabel[];
}

/** An alert's scope, which is the same object in every round -> its names by its rule's name. */
const known = new WeakMap<Scope, Map<string, Known>>();

/** Worked out once for as long as what they come from is the same. */
export function namesOf(alert: Alert, groupBy: readonly AlertLabel[]): AlertNames {
  const { rule, scope, severity } = alert;
  const byRule = known.get(scope) ?? new Map<string, Known>();
  const last = byRule.get(rule.name);
  if (last?.groupBy === groupBy && last.labels.severity === severity && last.labels.kind === rule.kind)
    return last;
  const labels = alertLabels(alert);
  const names = { key: alertKey(rule.name, scope), labels, group: groupOf(labels, groupBy), groupBy };
  byRule.set(rule.name, names);
  known.set(scope, byRule);
  return names;
}

function groupOf(labels: AlertLabels, groupBy: readonly AlertLabel[]): Group {
  return {
    key: `${groupBy.join(',')}${labelsKey(labels, groupBy)}`,
    labels: Object.fromEntries(groupBy.map((label) => [label, labels[label]])),
  };
}
