// A map that knows what of it changed since it was asked last, in the order in which its values were set first.
import type { MemoryChanges, MemoryPut } from './memory-changes';

export class DirtyMap<Value> {
  readonly #values = new Map<string, Value>();
  readonly #dirty = new Set<string>();

  /** @param prefix is put before each key of the changes: one of MEMORY_KEYS */
  constructor(private readonly prefix: string) {}

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries();
  }

  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  set(key: string, value: Value): void {
    this.#values.set(key, value);
    this.#dirty.add(key);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#dirty.add(key);
  }

  /** Leaves the disk, whether or not it is here. */
  forget(key: string): void {
    this.#values.delete(key);
    this.#dirty.add(key);
  }

  /** A value as it is on disk. */
  restore(key: string, value: Value): void {
    this.#values.set(key, value);
  }

  /** What to keep and to forget on disk since the last call. Values are given as they are, not copied. */
  takeDirty(): MemoryChanges {
    const puts: MemoryPut[] = [];
    const deletes: string[] = [];
    for (const key of this.#dirty) {
      const value = this.#values.get(key);
      if (value === undefined) deletes.push(this.prefix + key);
      else puts.push({ key: this.prefix + key, value });
    }
    this.#dirty.clear();
    return { puts, deletes };
  }
}
