// By what a receiver that several sidecars tell knows an alert.
import { alertId } from '../alert/alert-key';
import type { NotificationItem } from './notification';

/**
 * 16 hexadecimal digits: the same for an alert for as long as the sidecar's external labels are, and no other's, nor that of another
 * sidecar with other labels. Without external labels it is the alert's id.
 */
export function alertIdentity({
  alertKey,
  externalLabels,
}: Pick<NotificationItem, 'alertKey' | 'externalLabels'>): string {
  const labels = sortedLabels(externalLabels);
  return alertId(labels.length === 0 ? alertKey : JSON.stringify([alertKey, labels]));
}

/** By name: in what order the configuration has them says nothing. */
export function sortedLabels(externalLabels: NotificationItem['externalLabels']): [string, string][] {
  return Object.entries(externalLabels).sort(([a], [b]) => (a < b ? -1 : 1));
}
