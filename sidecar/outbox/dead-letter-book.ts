// Letters that no channel took, kept for people to see and to send again: MOST_LETTERS of them at most KEEP_MS; of more the oldest are
// let go, counted.
import { z } from 'zod';
import type { Rule } from '../config/rule';
import { DirtyMap } from '../memory/dirty-map';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import type { Letter } from '../notify/letter';
import { decodeLetter, encodeLetter } from '../notify/letter-memory';

export const MOST_DEAD_LETTERS = 500;
export const KEEP_DEAD_LETTERS_MS = 7 * 86_400_000;

export interface DeadLetter {
  /** As the letter was written last; its id is the id of the whole. */
  readonly letter: Letter;
  readonly how: 'refused' | 'expired' | 'dropped';
  /** Without secrets. */
  readonly reason: string;
  /** Tries that failed on its channel, the last one not among them where it was refused. */
  readonly failures: number;
  /** Unix ms. */
  readonly failedMs: number;
  /** When later letters had told those that this one was for of all its alerts; `undefined`: none has. Unix ms. */
  readonly toldSinceMs: number | undefined;
}

/** A dead letter as things stand now. */
export interface DeadLetterStatus extends DeadLetter {
  /** Nothing of it holds any more: sent again it would open what nobody closes, or close what fires. */
  readonly isObsolete: boolean;
}

/**
 * A letter without the alerts that it says fire, and that no longer do, since nobody would be told of their end; and without those
 * that it says are over, and that fire again.
 *
 * @param fires whether the alert of this key does
 * @returns `undefined` where nothing is left of it
 */
export function stillTrue(letter: Letter, fires: (alertKey: string) => boolean): Letter | undefined {
  if (letter.kind === 'change') return letter;
  const items = letter.items.filter(
    ({ alertKey, occasion }) => (occasion === 'resolved') !== fires(alertKey),
  );
  if (items.length === letter.items.length) return letter;
  return items.length === 0 ? undefined : { ...letter, items };
}

/** With the channel that it was first written for. */
export type Kept = DeadLetter & {
  readonly meantFor: string;
  /** Keys of its alerts that were told of since. */
  readonly told: readonly string[];
};

const entryShape = z.object({
  letter: z.unknown(),
  meantFor: z.string(),
  how: z.enum(['refused', 'expired', 'dropped']),
  reason: z.string(),
  failures: z.int(),
  failedMs: z.number(),
  told: z.array(z.string()),
  toldSinceMs: z.number().nullish(),
});

export class DeadLetterBook {
  readonly #letters = new Map<string, Kept>();
  readonly #written = new DirtyMap<unknown>(MEMORY_KEYS.deadLetter);
  #letGo = 0;

  /** Since the start of the process. */
  get letGo(): number {
    return this.#letGo;
  }

  /** The newest first. */
  list(): DeadLetter[] {
    return [...this.#letters.values()].reverse();
  }

  get(id: string): Kept | undefined {
    return this.#letters.get(id);
  }

  /** @param meantFor the channel that it was first written for */
  add(dead: DeadLetter, meantFor: string): void {
    this.delete(dead.letter.id);
    this.#set({ ...dead, meantFor, told: [] });
    this.forget(dead.failedMs);
  }

  delete(id: string): boolean {
    this.#written.delete(id);
    return this.#letters.delete(id);
  }

  /**
   * A channel has taken this letter: what did not arrive before, there or in its place, is old news
   * once all of its alerts were told of.
   *
   * @param meantFor the channel that it was first written for
   */
  letterArrived(letter: Letter, meantFor: string, nowMs: number): void {
    if (this.#letters.size === 0 || letter.kind === 'change') return;
    for (const dead of this.#letters.values()) {
      if (dead.letter.kind === 'change' || dead.toldSinceMs !== undefined) continue;
      if (dead.letter.channel !== letter.channel && dead.meantFor !== meantFor) continue;
      const keys = new Set(dead.letter.items.map(({ alertKey }) => alertKey));
      const told = new Set([
        ...dead.told,
        ...letter.items.map(({ alertKey }) => alertKey).filter((key) => keys.has(key)),
      ]);
      if (told.size === dead.told.length) continue;
      this.#set({ ...dead, told: [...told], toldSinceMs: told.size === keys.size ? nowMs : undefined });
    }
  }

  /** Lets go what is too old or too much. @param nowMs Unix ms */
  forget(nowMs: number): void {
    for (const [id, { failedMs }] of this.#letters) {
      if (this.#letters.size <= MOST_DEAD_LETTERS && failedMs > nowMs - KEEP_DEAD_LETTERS_MS) break;
      this.delete(id);
      this.#letGo += 1;
    }
  }

  takeDirty(): MemoryChanges {
    return this.#written.takeDirty();
  }

  /** @returns how many could not be read */
  restore(entries: Iterable<readonly [id: string, value: unknown]>, rules: readonly Rule[]): number {
    let unreadable = 0;
    const read: (readonly [Kept, unknown])[] = [];
    for (const [id, value] of entries) {
      const { data } = entryShape.safeParse(value);
      const letter = data && decodeLetter(data.letter, rules);
      if (data && letter?.id === id)
        read.push([{ ...data, letter, toldSinceMs: data.toldSinceMs ?? undefined }, value]);
      else {
        unreadable += 1;
        this.#written.forget(id);
      }
    }
    for (const [dead, value] of read.sort(([a], [b]) => a.failedMs - b.failedMs)) {
      this.#letters.set(dead.letter.id, dead);
      this.#written.restore(dead.letter.id, value);
    }
    return unreadable;
  }

  #set(dead: Kept): void {
    this.#letters.set(dead.letter.id, dead);
    this.#written.set(dead.letter.id, { ...dead, letter: encodeLetter(dead.letter) });
  }
}
