// From a message that no channel took to what the API tells of it.
import { alertId } from '../../alert/alert-key';
import { describeLetter } from '../../notify/describe-letter';
import type { DeadLetterStatus } from '../../outbox/dead-letter-book';
import type { DeadLetterDocument } from './answer-shapes';
import { timeText } from './time-text';

export function deadLetterDocument(dead: DeadLetterStatus): DeadLetterDocument {
  const { letter, how, reason, failures, failedMs, toldSinceMs, isObsolete } = dead;
  const { title, text } = describeLetter(letter);
  const items = letter.kind === 'change' ? [] : letter.items;
  return {
    id: letter.id,
    channel: letter.channel,
    kind: letter.kind,
    how,
    reason,
    failures,
    failed_at: timeText(failedMs),
    told_since: timeText(toldSinceMs),
    obsolete: isObsolete,
    title,
    alerts: items.map(({ alertKey, alert, occasion }) => ({
      id: alertId(alertKey),
      rule: alert.rule.name,
      occasion,
    })),
    text,
  };
}
