// The silences as they stand in the memory.
import { DirtyMap } from '../memory/dirty-map';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import type { Silence } from './silence';
import { readSilence } from './silence-book';

export class SilenceRecords {
  readonly #records = new DirtyMap<Silence>(MEMORY_KEYS.silence);

  /** Takes over all there are. */
  set(silences: readonly Silence[]): void {
    for (const silence of silences)
      if (this.#records.get(silence.id) !== silence) this.#records.set(silence.id, silence);
    const ids = new Set(silences.map(({ id }) => id));
    for (const id of [...this.#records.keys()]) if (!ids.has(id)) this.#records.delete(id);
  }

  takeDirty(): MemoryChanges {
    return this.#records.takeDirty();
  }

  restore(entries: Iterable<readonly [id: string, value: unknown]>): {
    readonly silences: readonly Silence[];
    readonly unreadable: number;
  } {
    const silences: Silence[] = [];
    let unreadable = 0;
    for (const [id, value] of entries) {
      const silence = readSilence(value);
      if (silence) {
        silences.push(silence);
        this.#records.restore(id, silence);
      } else {
        unreadable += 1;
        this.#records.forget(id);
      }
    }
    return { silences, unreadable };
  }
}
