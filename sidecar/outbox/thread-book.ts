// What channels remember of the groups of alerts that they tell of, as a chat's number of its first message. One entry for each
// channel and group; forgotten once nothing of the group fires, when nothing was said in it for FORGET_MS, and, over MOST_THREADS, the
// one that was used longest ago.
import { z } from 'zod';
import type { Thread } from '../channel/channel';
import { DirtyMap } from '../memory/dirty-map';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import { isFiring } from '../notify/notification';
import type { Letter } from '../notify/letter';

const FORGET_MS = 30 * 86_400_000;
const MOST_THREADS = 10_000;

/** Its last use is known to this, so that a group that fires for long is not written with each message. */
const USED_WITHIN_MS = 86_400_000;

interface Entry {
  readonly thread: Thread;
  /** Unix ms. */
  readonly usedMs: number;
}

const entryShape = z.object({ thread: z.record(z.string(), z.string()), usedMs: z.number() });

export class ThreadBook {
  /** In the order in which they were used, the oldest first. */
  readonly #entries = new DirtyMap<Entry>(MEMORY_KEYS.thread);

  get size(): number {
    return this.#entries.size;
  }

  of(letter: Letter): Thread | undefined {
    const key = keyOf(letter);
    return key === undefined ? undefined : this.#entries.get(key)?.thread;
  }

  /** @param nowMs Unix ms */
  note(letter: Letter, thread: Thread, nowMs: number): void {
    const key = keyOf(letter);
    if (key === undefined) return;
    this.#entries.delete(key);
    this.#entries.set(key, { thread, usedMs: nowMs });
    for (const [oldest, { usedMs }] of this.#entries.entries()) {
      if (this.#entries.size <= MOST_THREADS && usedMs > nowMs - FORGET_MS) break;
      this.#entries.delete(oldest);
    }
  }

  /** After a letter that its channel took. @param nowMs Unix ms */
  letterArrived(letter: Letter, nowMs: number): void {
    const key = keyOf(letter);
    if (key === undefined) return;
    if (letter.kind === 'digest') this.#entries.delete(key);
    if (letter.kind !== 'group') return;
    const entry = this.#entries.get(key);
    if (!isFiring(letter)) this.#entries.delete(key);
    else if (entry && entry.usedMs < nowMs - USED_WITHIN_MS) this.note(letter, entry.thread, nowMs);
  }

  /** After one that it will never take. */
  letterFailed(letter: Letter): void {
    if (letter.kind === 'digest') this.#entries.delete(keyOf(letter) ?? '');
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

/** `undefined` of what is no conversation. */
function keyOf(letter: Letter): string | undefined {
  // No other letter tells of the same.
  if (letter.kind === 'digest') return JSON.stringify([letter.channel, letter.kind, letter.id]);
  const isConversation = letter.kind === 'group' || letter.kind === 'standing';
  return isConversation ? JSON.stringify([letter.channel, letter.groupKey]) : undefined;
}
