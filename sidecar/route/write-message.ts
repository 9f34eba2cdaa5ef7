// Items to a message: the most severe first, no more than people read, and an id.
import { severityRank } from '../../kong-plugin/contract/severity';
import { createHash } from 'node:crypto';
import type { Message, MessageItem } from './message';

/** Of a repeat the rest is counted in `leftOut`; other news that are more come in several messages. */
export const MOST_ITEMS = 50;

/** @param items at least one @param number no other message has it */
export function writeMessage(draft: Omit<Message, 'id'>, number: number, mostItems = MOST_ITEMS): Message {
  const kept = draft.items.slice(0, mostItems);
  const seed = JSON.stringify([draft.channel, draft.groupKey, number, draft.createdMs]);
  return {
    id: createHash('sha256').update(seed).digest('hex').slice(0, 16),
    ...draft,
    items: kept,
    leftOut: draft.leftOut + draft.items.length - kept.length,
  };
}

/** The worst first; of those as bad what fires before what is over, and what fires longest before the rest. */
export function bySeverity(items: readonly MessageItem[]): MessageItem[] {
  return [...items].sort(
    (a, b) =>
      severityRank(b.alert.severity) - severityRank(a.alert.severity) ||
      Number(a.occasion === 'resolved') - Number(b.occasion === 'resolved') ||
      (a.alert.sinceMs ?? 0) - (b.alert.sinceMs ?? 0),
  );
}

/** The same for what happened over some time: what is of one alert stays together, in the order in which it happened. */
export function byAlert(
  happened: readonly { readonly key: string; readonly item: MessageItem }[],
): MessageItem[] {
  const alerts = new Map<string, MessageItem[]>();
  for (const { key, item } of happened) alerts.set(key, [...(alerts.get(key) ?? []), item]);
  const worst = (items: readonly MessageItem[]): number =>
    Math.max(...items.map(({ alert }) => severityRank(alert.severity)));
  return [...alerts.values()].sort((a, b) => worst(b) - worst(a)).flat();
}
