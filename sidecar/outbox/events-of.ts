// From what happened to the events that people ask for later. Times are those that people have, Unix ms.
import type { Alert } from '../alert/alert';
import type { AlertChange } from '../alert/alert-change';
import { alertId, alertKey } from '../alert/alert-key';
import type { NewAlertEvent } from '../memory/alert-event';
import type { Letter } from '../notify/letter';
import type { Silence } from '../route/silence';
import { labelsOf } from '../window/scope';
import type { OutboxEnd } from './outbox';

export function eventsOfChange({ kind, alert, atMs, endReason }: AlertChange): NewAlertEvent[] {
  const base = { ...subjectOf(alert), atMs };
  const { value, threshold } = alert.verdict;
  const measured = { ...(value === undefined ? {} : { value }), threshold };
  switch (kind) {
    case 'fired':
      return [{ kind, ...base, ...measured, sinceMs: alert.sinceMs ?? atMs }];
    case 'worsened':
      return [{ kind, ...base, ...measured }];
    case 'flapped':
      return [{ kind, ...base, firings: Math.max(1, alert.firings.length) }];
    case 'acknowledged': {
      const { by = '', comment = '' } = alert.acknowledgement ?? {};
      return [{ kind, ...base, by, comment }];
    }
    case 'resolved':
      return [
        { kind, ...base, ...measured, firedMs: alert.firedMs ?? atMs, endReason: endReason ?? 'recovered' },
      ];
  }
}

/** One for each alert that the message told of. What is told again and again is no event. */
export function eventsOfEnd({ letter, how, reason, next }: OutboxEnd, atMs: number): NewAlertEvent[] {
  if (letter.kind === 'change' || letter.kind === 'standing') return [];
  const { channel, id: messageId, items } = letter;
  const why = `${how}: ${reason ?? 'no reason is known'}${next === undefined ? '' : `; ${next} is told in its place`}`;
  return items.map(({ alert, occasion }) => {
    const told = { ...subjectOf(alert), atMs, channel, occasion, messageId };
    if (how === 'sent') return { kind: 'notification_sent', ...told };
    return { kind: 'notification_failed', ...told, reason: why };
  });
}

/** One for each alert that a dead letter told of. */
export function eventsOfDiscard(letter: Letter, by: string, atMs: number): NewAlertEvent[] {
  if (letter.kind === 'change' || letter.kind === 'standing') return [];
  const { channel, id: messageId, items } = letter;
  return items.map(({ alert, occasion }) => ({
    kind: 'notification_discarded',
    ...subjectOf(alert),
    atMs,
    channel,
    occasion,
    messageId,
    by,
  }));
}

/** @param by `undefined` where its time was over */
export function eventOfSilence(
  kind: 'silence_created' | 'silence_expired',
  silence: Silence,
  by: string | undefined,
  atMs: number,
): NewAlertEvent {
  const { id: silenceId, matchers, startsMs, endsMs, comment } = silence;
  const base = { atMs, silenceId, matchers: [...matchers], startsMs, endsMs, comment };
  if (kind === 'silence_created') return { kind, ...base, by: by ?? silence.createdBy };
  return { kind, ...base, ...(by === undefined ? {} : { by }) };
}

function subjectOf({ rule, scope, severity }: Alert): {
  alertId: string;
  rule: string;
  labels: Record<string, string>;
  severity: Alert['severity'];
} {
  return {
    alertId: alertId(alertKey(rule.name, scope)),
    rule: rule.name,
    labels: { ...labelsOf(scope) },
    severity,
  };
}
