// A map for the disk in which every value is known by when it was used last: bounded by that, and in that order after a restart.
import { z } from 'zod';
import { DirtyMap } from './dirty-map';
import type { MemoryChanges } from './memory-changes';

export interface RecentMapLimits {
  /** What was not used for so long is forgotten, once another value is set. */
  readonly forgetMs: number;
  /** Of more, those that were used longest ago are forgotten. */
  readonly most: number;
}

interface Entry<Value> {
  readonly value: Value;
  /** Unix ms. */
  readonly usedMs: number;
}

export class RecentMap<Value> {
  /** In the order in which they were used, the oldest first. */
  readonly #entries: DirtyMap<Entry<Value>>;
  readonly #shape: z.ZodType<Entry<Value>>;
  readonly #limits: RecentMapLimits;

  /** @param prefix one of MEMORY_KEYS @param valueShape of what is on disk */
  constructor(prefix: string, valueShape: z.ZodType<Value>, limits: RecentMapLimits) {
    this.#entries = new DirtyMap(prefix);
    this.#shape = z.object({ value: valueShape, usedMs: z.number() });
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  *entries(): Generator<[key: string, value: Value]> {
    for (const [key, { value }] of this.#entries.entries()) yield [key, value];
  }

  /** Unix ms. */
  lastUsedMs(key: string): number | undefined {
    return this.#entries.get(key)?.usedMs;
  }

  set(key: string, value: Value, nowMs: number): void {
    // It goes to the end of the order.
    this.#entries.delete(key);
    this.#entries.set(key, { value, usedMs: nowMs });
    const { most, forgetMs } = this.#limits;
    for (const [oldest, { usedMs }] of this.#entries.entries()) {
      if (this.#entries.size <= most && usedMs > nowMs - forgetMs) break;
      this.#entries.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  takeDirty(): MemoryChanges {
    return this.#entries.takeDirty();
  }

  /** @returns how many could not be read */
  restore(entries: Iterable<readonly [key: string, value: unknown]>): number {
    let unreadable = 0;
    const read: [string, Entry<Value>][] = [];
    for (const [key, value] of entries) {
      const { data } = this.#shape.safeParse(value);
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
