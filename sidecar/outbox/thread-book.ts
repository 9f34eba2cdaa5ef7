// What channels remember of the groups of alerts that they tell of, as a chat's number of its first message. One entry for each
// channel and group; forgotten once nothing of the group fires, when nothing was said in it for FORGET_MS, and, over MOST_THREADS, the
// one that was used longest ago.
import { z } from 'zod';
import type { Thread } from '../channel/channel';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import { RecentMap } from '../memory/recent-map';
import { isFiring } from '../notify/notification';
import type { Letter } from '../notify/letter';

const FORGET_MS = 30 * 86_400_000;
const MOST_THREADS = 10_000;

/** Its last use is known to this, so that a group that fires for long is not written with each message. */
const USED_WITHIN_MS = 86_400_000;

const threadShape: z.ZodType<Thread> = z.record(z.string(), z.string());

export class ThreadBook {
  readonly #entries = new RecentMap(MEMORY_KEYS.thread, threadShape, {
    forgetMs: FORGET_MS,
    most: MOST_THREADS,
  });

  get size(): number {
    return this.#entries.size;
  }

  of(letter: Letter): Thread | undefined {
    const key = keyOf(letter);
    return key === undefined ? undefined : this.#entries.get(key);
  }

  /** @param nowMs Unix ms */
  note(letter: Letter, thread: Thread, nowMs: number): void {
    const key = keyOf(letter);
    if (key !== undefined) this.#entries.set(key, thread, nowMs);
  }

  /** After a letter that its channel took. @param nowMs Unix ms */
  letterArrived(letter: Letter, nowMs: number): void {
    const key = keyOf(letter);
    if (key === undefined) return;
    if (letter.kind === 'digest') this.#entries.delete(key);
    if (letter.kind !== 'group') return;
    if (!isFiring(letter)) {
      this.#entries.delete(key);
      return;
    }
    const thread = this.#entries.get(key);
    const lastUsedMs = this.#entries.lastUsedMs(key) ?? nowMs;
    if (thread && lastUsedMs < nowMs - USED_WITHIN_MS) this.#entries.set(key, thread, nowMs);
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
    return this.#entries.restore(entries);
  }
}

/** `undefined` of what is no conversation. */
function keyOf(letter: Letter): string | undefined {
  // No other letter tells of the same.
  if (letter.kind === 'digest') return JSON.stringify([letter.channel, letter.kind, letter.id]);
  const isConversation = letter.kind === 'group' || letter.kind === 'standing';
  return isConversation ? JSON.stringify([letter.channel, letter.groupKey]) : undefined;
}
