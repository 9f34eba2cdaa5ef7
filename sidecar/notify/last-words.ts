// How each alert of a message stands at its end: a digest tells of one alert as often as something happened to it, in that order.
import type { NotificationItem } from './notification';

export interface LastWord {
  readonly item: NotificationItem;
  /** By which the message says also that it began or got worse, and has not ended since. */
  readonly trouble: NotificationItem | undefined;
}

/** One for each alert, in the order of the message. */
export function lastWords(items: readonly NotificationItem[]): LastWord[] {
  const words = new Map<string, LastWord>();
  for (const item of items) words.set(item.alertKey, { item, trouble: troubleAfter(item, words) });
  return [...words.values()];
}

function troubleAfter(
  item: NotificationItem,
  words: ReadonlyMap<string, LastWord>,
): NotificationItem | undefined {
  switch (item.occasion) {
    case 'fired':
    case 'worsened':
    case 'escalated':
      return item;
    case 'repeated':
    case 'acknowledged':
      return words.get(item.alertKey)?.trouble;
    case 'resolved':
      return undefined;
  }
}
