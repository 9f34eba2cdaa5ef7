// Which channels were told of an alert in the place of which other. Once that one takes messages again they hear no more of it by
// themselves, and would believe for ever that it fires: so they are told how it goes on, until they have taken that it is over.
// Who took the end of an alert in the place of its channel is remembered until that channel has taken it too: it is told again, and they
// need not hear it each time.
// One entry for each alert and channel that it was meant for; forgotten when no stand-in holds the alert, after FORGET_MS, and, over
// MOST_ENTRIES, the one that was used longest ago. The letters of one alert end on a channel in the order in which they were posted to it.
import { z } from 'zod';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import { RecentMap } from '../memory/recent-map';
import { lastWords } from '../notify/last-words';
import type { Notification, NotificationItem } from '../notify/notification';

const FORGET_MS = 30 * 86_400_000;
const MOST_ENTRIES = 10_000;

const standInShape = z.object({
  /** It has taken that the alert fires, and not yet that it is over. */
  holds: z.boolean(),
  /** What it will know once it has taken all that is on its way to it: that the alert fires. */
  fires: z.boolean(),
  /** Letters on their way to it. */
  underway: z.int(),
  /** Of the last letter that was posted to it. */
  order: z.int(),
});

type StandIn = Readonly<z.infer<typeof standInShape>>;

/** By the stand-in's name. */
const entryShape = z.record(z.string(), standInShape);

/** A letter for a channel, in its own name or in the place of another. */
export interface MeantLetter {
  readonly letter: Notification;
  /** The channel that it was first written for. */
  readonly meantFor: string;
  /** Of what it tells, among all that was ever posted; the same for whoever is told it. */
  readonly order: number;
}

/** Alerts that a stand-in holds for a channel that there is no more. */
export interface Orphans {
  readonly channel: string;
  readonly alertKeys: readonly string[];
}

export class StandInBook {
  readonly #entries = new RecentMap(MEMORY_KEYS.standIn, entryShape, {
    forgetMs: FORGET_MS,
    most: MOST_ENTRIES,
  });

  get size(): number {
    return this.#entries.size;
  }

  /** A stand-in is to be told. */
  posted(meant: MeantLetter, nowMs: number): void {
    this.#change(meant, nowMs, (before, fires) => ({
      holds: before?.holds ?? false,
      fires,
      underway: (before?.underway ?? 0) + 1,
      order: meant.order,
    }));
  }

  /**
   * What a stand-in was to be told has ended there.
   *
   * @param wasTaken `undefined` where an earlier process may have seen it taken: better an end too many than an alert held for ever
   * @param isFollowUp whether its own channel has taken it before
   */
  ended(
    meant: MeantLetter,
    { wasTaken, isFollowUp }: { readonly wasTaken: boolean | undefined; readonly isFollowUp: boolean },
    nowMs: number,
  ): void {
    this.#change(meant, nowMs, (before, fires) => {
      if (before === undefined) return undefined;
      const holds = (wasTaken ?? fires) ? fires : before.holds;
      const underway = Math.max(0, before.underway - 1);
      if (underway > 0) return { ...before, holds, underway };
      const knowsEnd = wasTaken === true && !fires && !isFollowUp;
      return holds || knowsEnd ? { ...before, holds, fires: holds, underway } : undefined;
    });
  }

  /** Whether a letter tells of ends alone, and this stand-in has taken every one of them. */
  knowsEnds({ letter, meantFor }: MeantLetter, standIn: string): boolean {
    return lastWords(letter.items).every(({ item }) => {
      const entry = this.#entries.get(keyOf(meantFor, item.alertKey))?.[standIn];
      return item.occasion === 'resolved' && entry !== undefined && isOver(entry);
    });
  }

  /** The channel itself has taken a letter: whoever took its ends in its place need not be remembered for that any more. */
  ownTook({ letter, meantFor }: MeantLetter, nowMs: number): void {
    for (const { item } of lastWords(letter.items)) {
      const key = keyOf(meantFor, item.alertKey);
      const entry = Object.entries(this.#entries.get(key) ?? {});
      const left = entry.filter(([, standIn]) => !isOver(standIn));
      if (left.length === entry.length) continue;
      if (left.length > 0) this.#entries.set(key, Object.fromEntries(left), nowMs);
      else this.#entries.delete(key);
    }
  }

  /**
   * What stand-ins are to be told of a letter that somebody has taken: everything but reminders, and nothing that is older than what
   * they know.
   */
  newsOf({ letter, meantFor, order }: MeantLetter): ReadonlyMap<string, readonly NotificationItem[]> {
    const news = new Map<string, NotificationItem[]>();
    for (const item of letter.items) {
      if (item.occasion === 'repeated') continue;
      for (const [name, standIn] of Object.entries(this.#entries.get(keyOf(meantFor, item.alertKey)) ?? {}))
        if (standIn.fires && standIn.order < order) news.set(name, [...(news.get(name) ?? []), item]);
    }
    return news;
  }

  /** Lets go, and gives, what is held for channels that there are no more. */
  takeOrphans(isConfigured: (channel: string) => boolean): Orphans[] {
    const orphans = new Map<string, string[]>();
    for (const [key, entry] of [...this.#entries.entries()]) {
      const [meantFor, alertKey] = JSON.parse(key) as [string, string];
      if (isConfigured(meantFor)) continue;
      this.#entries.delete(key);
      const holders = Object.entries(entry).filter(
        ([name, standIn]) => isConfigured(name) && !isOver(standIn),
      );
      for (const [channel] of holders) orphans.set(channel, [...(orphans.get(channel) ?? []), alertKey]);
    }
    return [...orphans].map(([channel, alertKeys]) => ({ channel, alertKeys }));
  }

  /** The latest that was posted, of what is known here. */
  get lastOrder(): number {
    let last = 0;
    for (const [, entry] of this.#entries.entries())
      for (const { order } of Object.values(entry)) last = Math.max(last, order);
    return last;
  }

  takeDirty(): MemoryChanges {
    return this.#entries.takeDirty();
  }

  /** @returns how many could not be read */
  restore(entries: Iterable<readonly [key: string, value: unknown]>): number {
    return this.#entries.restore(entries);
  }

  /** @param next of the letter's channel, for each of its alerts; `fires`: by the last that the letter tells of it */
  #change(
    { letter, meantFor }: MeantLetter,
    nowMs: number,
    next: (before: StandIn | undefined, fires: boolean) => StandIn | undefined,
  ): void {
    for (const { item } of lastWords(letter.items)) {
      const key = keyOf(meantFor, item.alertKey);
      const { [letter.channel]: before, ...others } = this.#entries.get(key) ?? {};
      const after = next(before, item.occasion !== 'resolved');
      if (after !== undefined) this.#entries.set(key, { ...others, [letter.channel]: after }, nowMs);
      else if (Object.keys(others).length > 0) this.#entries.set(key, others, nowMs);
      else this.#entries.delete(key);
    }
  }
}

/** It has taken that the alert is over. */
function isOver({ fires, underway }: StandIn): boolean {
  return !fires && underway === 0;
}

function keyOf(meantFor: string, alertKey: string): string {
  return JSON.stringify([meantFor, alertKey]);
}
