// Which channels were told of an alert in the place of which other. Once that one takes messages again they hear no more of it by
// themselves, and would believe for ever that it fires: so they are told how it goes on, until it is over.
// One entry for each alert and channel that failed, and for whom it failed; forgotten when the alert is over, after FORGET_MS, and, over
// MOST_ENTRIES, the one that was used longest ago. What is to be noted comes in the order of the letters of that channel.
import { z } from 'zod';
import { DirtyMap } from '../memory/dirty-map';
import type { MemoryChanges } from '../memory/memory-changes';
import type { Notification, NotificationItem } from '../notify/notification';

const FORGET_MS = 30 * 86_400_000;
const MOST_ENTRIES = 10_000;

export const STAND_IN_PREFIX = 'stand-in/';

interface Entry {
  readonly standIns: readonly string[];
  /** Unix ms. */
  readonly usedMs: number;
}

const entryShape = z.object({ standIns: z.array(z.string()), usedMs: z.number() });

export interface EndedLetter {
  readonly letter: Notification;
  /** The channel that it was first written for. */
  readonly meantFor: string;
  /** The channel that is told next in its place; `undefined` where its own has taken it. */
  readonly next: string | undefined;
}

export class StandInBook {
  /** In the order in which they were used, the oldest first. */
  readonly #entries = new DirtyMap<Entry>(STAND_IN_PREFIX);

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
      for (const standIn of this.#entries.get(keyOf(letter, meantFor, item))?.standIns ?? [])
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
    const { standIns = [] } = this.#entries.get(key) ?? {};
    this.#entries.delete(key);
    this.#entries.set(key, { standIns: [...new Set([...standIns, standIn])], usedMs: nowMs });
    for (const [oldest, { usedMs }] of this.#entries.entries()) {
      if (this.#entries.size <= MOST_ENTRIES && usedMs > nowMs - FORGET_MS) break;
      this.#entries.delete(oldest);
    }
  }

  takeDirty(): MemoryChanges {
    return this.#entries.takeDirty();
  }

  /** @returns how many could not be read */
  restore(entries: Iterable<readonly [key: string, value: unknown]>): number {
    let unreadable = 0;
    const read: [string, Entry][] = [];
    for (const [key, value] of entries) {
      const { data } = entryShape.safeParse(value);
      if (data) read.push([key, data]);
      else {
        unreadable += 1;
        this.#entries.forget(key);
      }
    }
    for (const [key, entry] of read.sort(([, a], [, b]) => a.usedMs - b.usedMs))
      this.#entries.restore(key, entry);
    return unreadable;
  }
}

function keyOf(
  { channel }: Notification,
  meantFor: string,
  { alertKey }: Pick<NotificationItem, 'alertKey'>,
): string {
  return JSON.stringify([channel, meantFor, alertKey]);
}
