// A firing alert as an event of Sentry, in an envelope (https://develop.sentry.dev/sdk/data-model/event-payloads/). Its fingerprint is
// the alert's identity, so that every time it fires belongs to one issue. Its id follows from the alert, when it began and how
// bad it is, so that a second try is the same event, one that got worse is another, and whoever resolves the issue finds it again.
import { createHash } from 'node:crypto';
import { SENTRY_LEVEL_OF } from '../../../kong-plugin/contract/sentry-level';
import { alertLabels } from '../../route/alert-labels';
import { alertIdentity, sortedLabels } from '../../notify/alert-identity';
import { describeAlert } from '../../notify/describe-alert';
import type { NotificationItem } from '../../notify/notification';

/** Sentry cuts tags there. */
const MAX_TAG_LENGTH = 200;

/** The alert, and the labels of the sidecar that tells it. */
function identityOf({ alertKey, externalLabels }: NotificationItem): string[] {
  return [alertKey, ...sortedLabels(externalLabels).map((label) => label.join('='))];
}

/** 32 hexadecimal digits. */
export function eventIdOf(item: NotificationItem): string {
  const { alert, atMs } = item;
  return createHash('sha256')
    .update(JSON.stringify([...identityOf(item), alert.sinceMs ?? atMs, alert.severity]))
    .digest('hex')
    .slice(0, 32);
}

/**
 * @param source `environment` and `release` of the sidecar
 * @param nowMs Unix ms
 * @param notes on the message that it comes with
 */
export function issueEnvelope(
  item: NotificationItem,
  source: { readonly environment: string; readonly release: string },
  nowMs: number,
  notes: readonly string[] = [],
): string {
  const { alert, links, atMs, externalLabels } = item;
  const { rule, scope, verdict, severity } = alert;
  const { title, sentences } = describeAlert(item);
  const eventId = eventIdOf(item);
  const labels = Object.entries({ ...externalLabels, ...alertLabels(alert) }).filter(
    ([, value]) => value !== '',
  );
  const event = {
    event_id: eventId,
    timestamp: nowMs / 1000,
    platform: 'other',
    level: SENTRY_LEVEL_OF[severity],
    logger: 'gatewatch.alert',
    message: { formatted: [title, ...sentences, ...notes].join('\n') },
    transaction: rule.name,
    fingerprint: ['gatewatch-alert', ...identityOf(item)],
    environment: source.environment,
    release: source.release,
    tags: {
      alert: alertIdentity(item),
      ...Object.fromEntries(labels.map(([label, value]) => [label, oneLine(value)])),
    },
    contexts: {
      alert: {
        scope: scope.level,
        rule: rule.name,
        value: verdict.value ?? null,
        threshold: verdict.threshold,
        requests: verdict.samples,
        window_ms: rule.windowMs,
        since: new Date(alert.sinceMs ?? atMs).toISOString(),
        ...Object.fromEntries(links.map(({ name, url }) => [name, url])),
      },
    },
  };
  const header = { event_id: eventId, sent_at: new Date(nowMs).toISOString() };
  return `${JSON.stringify(header)}\n${JSON.stringify({ type: 'event' })}\n${JSON.stringify(event)}\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Z}]/gu, ' ').slice(0, MAX_TAG_LENGTH);
}
