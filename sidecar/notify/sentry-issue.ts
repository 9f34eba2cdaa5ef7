// A firing alert as an event of Sentry, in an envelope (https://develop.sentry.dev/sdk/data-model/event-payloads/). Its fingerprint is
// the alert's identity, so that every time it fires belongs to one issue. Its id follows from the alert and when it began, so that
// a second try is the same event, and the issue is found again by whoever resolves it.
import { createHash } from 'node:crypto';
import { SENTRY_LEVEL_OF } from '../../kong-plugin/contract/sentry-level';
import { describeNotification } from './describe-notification';
import type { Notification } from './notification';

/** Sentry cuts tags there. */
const MAX_TAG_LENGTH = 200;

/** The tag `alert`: 16 hexadecimal digits, the same for an alert for ever. */
export function alertTag(alertKey: string): string {
  return createHash('sha256').update(alertKey).digest('hex').slice(0, 16);
}

/** 32 hexadecimal digits. */
export function eventIdOf({ alertKey, startedMs }: Notification): string {
  return createHash('sha256')
    .update(JSON.stringify([alertKey, startedMs]))
    .digest('hex')
    .slice(0, 32);
}

/**
 * @param source `environment` and `release` of the sidecar
 * @param nowMs Unix ms
 */
export function issueEnvelope(
  notification: Notification,
  source: { readonly environment: string; readonly release: string },
  nowMs: number,
): string {
  const { alertKey, rule, service, verdict, startedMs } = notification;
  const { title, text } = describeNotification(notification);
  const eventId = eventIdOf(notification);
  const event = {
    event_id: eventId,
    timestamp: nowMs / 1000,
    platform: 'other',
    level: SENTRY_LEVEL_OF[rule.severity],
    logger: 'gatewatch.alert',
    message: { formatted: `${title}\n${text}` },
    transaction: rule.name,
    fingerprint: ['gatewatch-alert', alertKey],
    environment: source.environment,
    release: source.release,
    tags: {
      alert: alertTag(alertKey),
      rule: rule.name,
      rule_kind: rule.kind,
      severity: rule.severity,
      ...(service === '' ? {} : { service: oneLine(service) }),
    },
    contexts: {
      alert: {
        service,
        rule: rule.name,
        value: verdict.value ?? null,
        threshold: verdict.threshold,
        requests: verdict.samples,
        window_ms: rule.windowMs,
        since: new Date(startedMs).toISOString(),
      },
    },
  };
  const header = { event_id: eventId, sent_at: new Date(nowMs).toISOString() };
  return `${JSON.stringify(header)}\n${JSON.stringify({ type: 'event' })}\n${JSON.stringify(event)}\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Z}]/gu, ' ').slice(0, MAX_TAG_LENGTH);
}
