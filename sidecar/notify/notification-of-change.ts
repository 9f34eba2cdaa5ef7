// From a change of an alert to what the channels are given.
import type { AlertChange } from '../alert/alert-change';
import { alertKey } from '../alert/alert-key';
import type { Notification } from './notification';

export function notificationOf({ kind, alert, startedMs, atMs, ruleRemoved }: AlertChange): Notification {
  const { rule, service, verdict } = alert;
  return {
    alertKey: alertKey(rule.name, service),
    status: kind === 'fired' ? 'firing' : 'resolved',
    rule,
    service,
    verdict,
    startedMs,
    resolvedMs: kind === 'resolved' ? atMs : undefined,
    ruleRemoved,
  };
}
