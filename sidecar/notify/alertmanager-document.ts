// A notification in the form of Alertmanager's webhook, version 4, so that a receiver written for Alertmanager understands it
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config). Every document carries one alert, its own group.
// As in Alertmanager a label without a value is left out, and `endsAt` is Go's zero time while the alert fires.
import { createHash } from 'node:crypto';
import { describeNotification } from './describe-notification';
import type { Notification } from './notification';

type Labels = Record<string, string>;

export interface AlertmanagerDocument {
  version: '4';
  groupKey: string;
  truncatedAlerts: number;
  status: 'firing' | 'resolved';
  receiver: string;
  groupLabels: Labels;
  commonLabels: Labels;
  commonAnnotations: Labels;
  /** Empty: the sidecar does not know under what address people reach it. */
  externalURL: string;
  alerts: {
    status: 'firing' | 'resolved';
    labels: Labels;
    annotations: Labels;
    startsAt: string;
    endsAt: string;
    generatorURL: string;
    fingerprint: string;
  }[];
}

const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

/** @param receiver the channel's name */
export function alertmanagerDocument(notification: Notification, receiver: string): AlertmanagerDocument {
  const { status, rule, service, verdict, startedMs, resolvedMs, alertKey } = notification;
  const groupLabels = withoutEmpty({ alertname: rule.name, service });
  const labels = { ...groupLabels, severity: rule.severity };
  const { title, text } = describeNotification(notification);
  const annotations = withoutEmpty({
    summary: title,
    description: text,
    value: verdict.value === undefined ? '' : String(verdict.value),
    threshold: String(verdict.threshold),
  });
  return {
    version: '4',
    groupKey: `{}:{${Object.entries(groupLabels)
      .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
      .join(', ')}}`,
    truncatedAlerts: 0,
    status,
    receiver,
    groupLabels,
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: '',
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt: new Date(startedMs).toISOString(),
        endsAt: resolvedMs === undefined ? GO_ZERO_TIME : new Date(resolvedMs).toISOString(),
        generatorURL: '',
        fingerprint: createHash('sha256').update(alertKey).digest('hex').slice(0, 16),
      },
    ],
  };
}

function withoutEmpty(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}
