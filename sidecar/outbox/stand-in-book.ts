// Which channels were told of an alert in the place of which other. Once that one takes messages again they hear no more of it by
// themselves, and would believe for ever that it fires: so they are told how it goes on, until it is over.
// One entry for each alert and channel that failed, and for whom it failed; forgotten when the alert is over, after FORGET_MS, and, over
// MOST_ENTRIES, the one that was used longest ago. What is to be noted comes in the order of the letters of that channel.
import { z } from 'zod';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import { RecentMap } from '../memory/recent-map';
import type { Notification, NotificationItem } from '../notify/notification';

const FORGET_MS = 30 * 86_400_000;
const MOST_ENTRIES = 10_000;

/** Names of channels. */
const standInsShape = z.array(z.string());

export interface EndedLetter {
  readonly letter: Notification;
  /** The channel that it was first written for. */
  readonly meantFor: string;
  /** The channel that is told next in its place; `undefined` where its own has taken it. */
  readonly next: string | undefined;
}

export class StandInBook {
  readonly #entries = new RecentMap(MEMORY_KEYS.standIn, standInsShape, {
    forgetMs: FORGET_MS,
    most: MOST_ENTRIES,
  });

  get size(): number {
    return this.#entries.size;
  }

  /**
   * A letter was taken, or is on its way to another channel.
   *
   * @returns what others are to be told of it that were told of its alerts before: everything but reminders
   */
  ended(
    { letter, meantFor, next }: EndedLetter,
    nowMs: number,
  ): ReadonlyMap<string, readonly NotificationItem[]> {
    const news = new Map<string, NotificationItem[]>();
    if (this.#entries.size === 0 && next === undefined) return news;
    const latest = new Map<string, NotificationItem['occasion']>();
    for (const item of letter.items) {
      latest.set(item.alertKey, item.occasion);
      if (item.occasion === 'repeated') continue;
      for (const standIn of this.#entries.get(keyOf(letter, meantFor, item)) ?? [])
        if (standIn !== next) news.set(standIn, [...(news.get(standIn) ?? []), item]);
    }
    for (const [alertKey, occasion] of latest) {
      const key = keyOf(letter, meantFor, { alertKey });
      if (occasion === 'resolved') this.#entries.delete(key);
      else if (next !== undefined) this.#add(key, next, nowMs);
    }
    return news;
  }

  #add(key: string, standIn: string, nowMs: number): void {
    this.#entries.set(key, [...new Set([...(this.#entries.get(key) ?? []), standIn])], nowMs);
  }

  takeDirty(): MemoryChanges {
    return this.#entries.takeDirty();
  }

  /** @returns how many could not be read */
  restore(entries: Iterable<readonly [key: string, value: unknown]>): number {
    return this.#entries.restore(entries);
  }
}

function keyOf(
  { channel }: Notification,
  meantFor: string,
  { alertKey }: Pick<NotificationItem, 'alertKey'>,
): string {
  return JSON.stringify([channel, meantFor, alertKey]);
}
