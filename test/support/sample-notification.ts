// A p95 alert on the service `slow` that fired at ten in the morning, with whatever a test changes.
import { alertKey } from '../../sidecar/alert/alert-key';
import type { Notification } from '../../sidecar/notify/notification';
import { p95Rule } from './sample-rules';

export const SAMPLE_STARTED_MS = Date.parse('2026-03-01T10:00:00Z');

export function sampleNotification(changes: Partial<Notification> = {}): Notification {
  const notification: Notification = {
    alertKey: '',
    status: 'firing',
    rule: p95Rule({ windowMs: 300_000 }),
    service: 'slow',
    verdict: { state: 'breached', value: 812, threshold: 500, samples: 1_204 },
    startedMs: SAMPLE_STARTED_MS,
    resolvedMs: undefined,
    ruleRemoved: false,
    ...changes,
  };
  return { ...notification, alertKey: alertKey(notification.rule.name, notification.service) };
}

/** The same alert, 12 minutes later. */
export function sampleResolved(changes: Partial<Notification> = {}): Notification {
  return sampleNotification({
    status: 'resolved',
    verdict: { state: 'healthy', value: 120, threshold: 500, samples: 1_310 },
    resolvedMs: SAMPLE_STARTED_MS + 720_000,
    ...changes,
  });
}
