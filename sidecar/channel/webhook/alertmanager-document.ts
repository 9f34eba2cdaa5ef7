// A notification in the form of Alertmanager's webhook, version 4, so that a receiver written for Alertmanager understands it
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
// As in Alertmanager a label without a value is left out, and `endsAt` is Go's zero time while an alert fires.
import { alertId } from '../../alert/alert-key';
import { alertLabels } from '../../route/alert-labels';
import { describeAlert, type Description } from '../../notify/describe-alert';
import { describeNotification } from '../../notify/describe-notification';
import { isFiring, type Notification, type NotificationItem } from '../../notify/notification';

type Labels = Record<string, string>;

export interface AlertDocument {
  status: 'firing' | 'resolved';
  labels: Labels;
  annotations: Labels;
  startsAt: string;
  endsAt: string;
  generatorURL: string;
  fingerprint: string;
}

export interface AlertmanagerDocument {
  version: '4';
  groupKey: string;
  truncatedAlerts: number;
  status: 'firing' | 'resolved';
  receiver: string;
  groupLabels: Labels;
  commonLabels: Labels;
  commonAnnotations: Labels;
  /** Empty where the sidecar does not know under what address people reach it. */
  externalURL: string;
  alerts: AlertDocument[];
}

const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

/** @param receiver the channel's name */
export function alertmanagerDocument(
  notification: Notification,
  receiver: string,
  externalUrl = '',
): AlertmanagerDocument {
  const { title, items, notes } = describeNotification(notification);
  const alerts = items.map((described) => alertDocument(described.item, described));
  return {
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: notification.leftOut,
    status: isFiring(notification) ? 'firing' : 'resolved',
    receiver,
    groupLabels: groupLabelsOf(notification),
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: withoutEmpty({
      ...common(alerts.map(({ annotations }) => annotations)),
      title,
      notes: notes.join(' '),
    }),
    externalURL: externalUrl,
    alerts,
  };
}

/** One alert, in the words of Alertmanager. */
export function alertDocument(
  item: NotificationItem,
  { title, sentences }: Description = describeAlert(item),
): AlertDocument {
  const { alert, occasion, atMs, alertKey, links, externalLabels } = item;
  const isResolved = occasion === 'resolved';
  const { value, threshold } = alert.verdict;
  const linkTo = (wanted: string): string => links.find(({ name }) => name === wanted)?.url ?? '';
  return {
    status: isResolved ? 'resolved' : 'firing',
    labels: { ...externalLabels, ...withoutEmpty(renamed(alertLabels(alert))) },
    annotations: withoutEmpty({
      summary: title,
      description: sentences.join(' '),
      value: value === undefined ? '' : String(value),
      threshold: String(threshold),
      acknowledged_by: alert.acknowledgement?.by ?? '',
      runbook_url: linkTo('runbook'),
      dashboard_url: linkTo('dashboard'),
      sentry_url: linkTo('sentry'),
    }),
    startsAt: new Date(alert.sinceMs ?? alert.firedMs ?? atMs).toISOString(),
    endsAt: isResolved ? new Date(atMs).toISOString() : GO_ZERO_TIME,
    generatorURL: linkTo('prometheus'),
    fingerprint: alertId(alertKey),
  };
}

export function groupLabelsOf({ groupLabels }: Notification): Labels {
  return withoutEmpty(renamed(groupLabels));
}

/** Alertmanager's own word for the name of a rule. */
function renamed({ rule, ...labels }: Readonly<Record<string, string>>): Labels {
  return rule === undefined ? labels : { alertname: rule, ...labels };
}

/** Those that all have. */
export function common(all: readonly Labels[]): Labels {
  const [first = {}, ...others] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value)),
  );
}

function withoutEmpty(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}
