// A p95 alert on the service `slow` that fired at ten in the morning, for the channel `a`, with whatever a test changes.
import type { Alert } from '../../sidecar/alert/alert';
import { alertKey } from '../../sidecar/alert/alert-key';
import type { Rule } from '../../sidecar/config/rule';
import type { Notification, NotificationItem } from '../../sidecar/notify/notification';
import type { Verdict } from '../../sidecar/rule/verdict';
import { firingAlert, resolvedAlert } from './sample-alerts';
import { latencyRule } from './sample-rules';

export const SAMPLE_STARTED_MS = Date.parse('2026-03-01T10:00:00Z');

/** What is changed of the alert, of what is told of it, and of the message. */
export interface SampleChanges {
  readonly service?: string;
  readonly rule?: Rule;
  readonly verdict?: Partial<Verdict>;
  readonly alert?: Partial<Alert>;
  readonly item?: Partial<NotificationItem>;
  readonly message?: Partial<Notification>;
  readonly channel?: string;
}

export function sampleNotification(changes: SampleChanges = {}): Notification {
  return notificationOf([sampleItem(changes)], changes);
}

/** The same alert, 12 minutes later. */
export function sampleResolved(changes: SampleChanges = {}): Notification {
  return notificationOf([sampleResolvedItem(changes)], {
    ...changes,
    message: { firing: 0, ...changes.message },
  });
}

/** A message of several alerts. */
export function sampleGroup(items: readonly NotificationItem[], changes: SampleChanges = {}): Notification {
  return notificationOf(items, changes);
}

let messages = 0;

function notificationOf(
  items: readonly NotificationItem[],
  { channel = 'a', service = 'slow', message = {} }: SampleChanges,
): Notification {
  messages += 1;
  return {
    id: `message-${messages}`,
    channel,
    kind: 'group',
    groupKey: `rule,service["slow","${service}"]`,
    groupLabels: { rule: items[0]?.alert.rule.name ?? '', service },
    items,
    leftOut: 0,
    firing: items.filter(({ occasion }) => occasion !== 'resolved').length,
    repeat: 0,
    createdMs: SAMPLE_STARTED_MS,
    ...message,
  };
}

export function sampleItem(changes: SampleChanges = {}): NotificationItem {
  return itemOf(sampleAlert(changes), changes);
}

export function sampleResolvedItem(changes: SampleChanges = {}): NotificationItem {
  const resolvedMs = SAMPLE_STARTED_MS + 720_000;
  const alert = resolvedAlert(sampleAlert(changes), resolvedMs);
  const verdict: Verdict = {
    ...alert.verdict,
    value: 120,
    threshold: 500,
    samples: 1_310,
    ...changes.verdict,
  };
  return itemOf(
    { ...alert, verdict },
    { ...changes, item: { occasion: 'resolved', atMs: resolvedMs, endReason: 'recovered', ...changes.item } },
  );
}

function sampleAlert({ service = 'slow', rule, verdict, alert }: SampleChanges): Alert {
  return firingAlert({
    rule: rule ?? latencyRule({ windowMs: 300_000 }),
    scope: { level: 'service', service },
    sinceMs: SAMPLE_STARTED_MS,
    verdict: {
      state: 'breached',
      severity: 'critical',
      doubt: undefined,
      value: 812,
      threshold: 500,
      samples: 1_204,
      ...verdict,
    },
    ...alert,
  });
}

function itemOf(alert: Alert, { item }: SampleChanges): NotificationItem {
  return {
    alert,
    occasion: 'fired',
    atMs: SAMPLE_STARTED_MS,
    endReason: undefined,
    alertKey: alertKey(alert.rule.name, alert.scope),
    evidence: undefined,
    links: [],
    externalLabels: {},
    ...item,
  };
}
