// From an event of the log to what the API tells of it.
import { renderMatcher } from '../../config/matcher';
import type { AlertEvent } from '../../memory/alert-event';
import type { EventDocument } from './answer-shapes';
import { timeText } from './time-text';

export function eventDocument(event: AlertEvent): EventDocument {
  const base = { sequence: event.sequence, at: timeText(event.atMs) };
  if ('silenceId' in event) {
    const silence = {
      ...base,
      silence_id: event.silenceId,
      matchers: event.matchers.map(renderMatcher),
      starts_at: timeText(event.startsMs),
      ends_at: timeText(event.endsMs),
      comment: event.comment,
    };
    return event.kind === 'silence_created'
      ? { kind: event.kind, ...silence, by: event.by }
      : { kind: event.kind, ...silence, by: event.by ?? null };
  }
  const { alertId, rule, labels, severity } = event;
  const alert = { ...base, alert_id: alertId, rule, labels, severity };
  switch (event.kind) {
    case 'fired':
      return { kind: event.kind, ...alert, ...measured(event), since: timeText(event.sinceMs) };
    case 'worsened':
      return { kind: event.kind, ...alert, ...measured(event) };
    case 'flapped':
      return { kind: event.kind, ...alert, firings: event.firings };
    case 'acknowledged':
      return { kind: event.kind, ...alert, by: event.by, comment: event.comment };
    case 'resolved':
      return {
        kind: event.kind,
        ...alert,
        ...measured(event),
        fired_at: timeText(event.firedMs),
        end_reason: event.endReason,
      };
    case 'notification_sent':
      return { kind: event.kind, ...alert, ...told(event) };
    case 'notification_failed':
      return { kind: event.kind, ...alert, ...told(event), reason: event.reason };
    case 'notification_discarded':
      return { kind: event.kind, ...alert, ...told(event), by: event.by };
  }
}

function measured({ value, threshold }: { value?: number | undefined; threshold: number }) {
  return { value: value ?? null, threshold };
}

function told({ channel, occasion, messageId }: Extract<AlertEvent, { messageId: string }>) {
  return { channel, occasion, message_id: messageId };
}
