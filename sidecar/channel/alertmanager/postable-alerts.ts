// In: a notification. Out: what Alertmanager's API v2 takes (PostableAlert of
// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml), as Prometheus tells it: what fires has an end in the
// future, so that it ends by itself once nobody tells it any more; what is over has the end that it had.
//
// For Alertmanager an alert is its labels, and `severity` is one of them: with another severity it is another alert. Where a rule has
// several, the severity that was told is remembered, and its alert ended when another takes its place; else both would fire until the
// old one runs out, and it would then be told as resolved.
import { alertId } from '../../alert/alert-key';
import { lastWords } from '../../notify/last-words';
import type { Notification, NotificationItem } from '../../notify/notification';
import { thresholdsOf } from '../../rule/thresholds';
import type { Thread } from '../channel';
import { alertDocument } from '../webhook/alertmanager-document';

export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
}

export interface Telling {
  /** For how long what fires is taken to fire on, ms. */
  readonly validMs: number;
  readonly nowMs: number;
  /** Alert -> severity, as it was told last. */
  readonly told: Thread;
}

/** Pure. `told`: what to remember once it was taken. */
export function postableAlerts(
  notification: Notification,
  telling: Telling,
): { readonly alerts: readonly PostableAlert[]; readonly told: Thread } {
  const items = lastWords(notification.items).map(({ item }) => item);
  const alerts = items.flatMap((item) => [...endOfOldSeverity(item, telling), postable(item, telling)]);
  return { alerts, told: remember(items, notification, telling.told) };
}

function postable(item: NotificationItem, { validMs, nowMs }: Telling): PostableAlert {
  const document = alertDocument(item);
  const startMs = Date.parse(document.startsAt);
  // Alertmanager refuses an end before the start, which a clock that was set may have brought about.
  const endMs = Math.max(startMs, item.occasion === 'resolved' ? item.atMs : nowMs + validMs);
  const url = document.generatorURL || item.links.find(({ name }) => name === 'gatewatch')?.url;
  return {
    labels: wellFormed(document.labels),
    annotations: wellFormed(document.annotations),
    startsAt: document.startsAt,
    endsAt: new Date(endMs).toISOString(),
    ...(url === undefined ? {} : { generatorURL: url }),
  };
}

/** In the words of what has taken its place. */
function endOfOldSeverity(item: NotificationItem, telling: Telling): PostableAlert[] {
  const severity = telling.told[alertId(item.alertKey)];
  if (severity === undefined || severity === item.alert.severity) return [];
  const successor = postable(item, telling);
  const endMs = Math.max(Date.parse(successor.startsAt), telling.nowMs);
  return [{ ...successor, labels: { ...successor.labels, severity }, endsAt: new Date(endMs).toISOString() }];
}

function remember(items: readonly NotificationItem[], { kind }: Notification, told: Thread): Thread {
  // What stands is all that there is; a group's message tells only of some of its alerts.
  const remembered: Record<string, string> = kind === 'standing' ? {} : { ...told };
  for (const { alert, alertKey, occasion } of items) {
    const id = alertId(alertKey);
    const mayChange = thresholdsOf(alert.rule).length > 1 || told[id] !== undefined;
    if (occasion !== 'resolved' && mayChange) remembered[id] = alert.severity;
    else Reflect.deleteProperty(remembered, id);
  }
  return remembered;
}

/** Alertmanager takes valid UTF-8 only. */
function wellFormed(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text.toWellFormed()]));
}
