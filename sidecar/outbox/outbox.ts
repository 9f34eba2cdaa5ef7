// The letters that must reach somebody, from the moment they are written until they have: asks what is known of a group, sends,
// remembers. What is posted is to be on disk before `release`, and is posted again at the next start unless its end is on disk too; so
// each letter arrives at least once.
// A letter that its channel does not take by its deadline, or refuses, goes to the channel's fallback, which says so, and is told how
// its alerts go on from then on; one that none takes is a dead letter, which people see and can send again.
// Pure of the disk: what has changed is asked for with `takeDirty`.
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Channel } from '../channel/channel';
import type { Clock } from '../clock';
import type { Rule } from '../config/rule';
import { DirtyMap } from '../memory/dirty-map';
import { joinChanges, MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import type { Letter } from '../notify/letter';
import { decodeLetter, encodeLetter } from '../notify/letter-memory';
import { lastWords } from '../notify/last-words';
import type { Notification, NotificationItem } from '../notify/notification';
import type { Delivery } from '../route/delivery';
import type { ChannelCounts, LetterEnd, Try } from './channel-queue';
import { DeadLetterBook, stillTrue, type DeadLetter } from './dead-letter-book';
import { Dispatcher, type ChannelStatus } from './dispatcher';
import { StandInBook, type MeantLetter, type Orphans } from './stand-in-book';
import { ThreadBook } from './thread-book';

/** Of a letter that was first meant for this channel, under this id. */
export interface Origin {
  readonly channel: string;
  readonly id: string;
}

/** What has become of a letter. */
export interface OutboxEnd extends LetterEnd {
  /** The channel that is told next in its place; `undefined`: this is the end. */
  readonly next: string | undefined;
  /** What the routing knows it by. */
  readonly delivery: Delivery | undefined;
}

export interface OutboxParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onTry: (made: Try) => void;
  /** Something is to be written down soon, besides at an end. */
  readonly onNote?: () => void;
  /** Must not throw. */
  readonly onEnd: (end: OutboxEnd) => void;
}

/** `obsolete`: nothing of it holds any more. */
export type SendAgainAnswer =
  | { readonly outcome: 'posted'; readonly letter: Letter; readonly meantFor: string }
  | { readonly outcome: 'not_found' | 'no_channel' | 'obsolete' };

interface Waiting {
  readonly letter: Letter;
  /** From when its deadline counts, Unix ms. */
  readonly sinceMs: number;
  /** The channel that it was first written for. */
  readonly meantFor: string;
  /** Its place among all that was ever posted, by which others that are told the same have theirs too. */
  readonly order: number;
  /** `undefined` where the routing does not wait for it. */
  readonly origin: Origin | undefined;
}

type Kept = Waiting & {
  /** On disk. */
  readonly key: string;
  /** Which may have seen it taken, and not have written that down. */
  readonly isOfEarlierProcess: boolean;
};

const waitingShape = z.object({
  letter: z.unknown(),
  sinceMs: z.number(),
  meantFor: z.string(),
  order: z.int(),
  origin: z.object({ channel: z.string(), id: z.string() }).nullish(),
});

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #dispatcher: Dispatcher;
  readonly #threads = new ThreadBook();
  readonly #standIns = new StandInBook();
  readonly #dead = new DeadLetterBook();
  /** By the letter's id. */
  readonly #waiting = new Map<string, Kept>();
  /** The same on disk, in their order. */
  readonly #written = new DirtyMap<unknown>(MEMORY_KEYS.delivery);
  #posted: (Waiting & { readonly number: number })[] = [];
  #lastPosted = 0;
  #nextKey = 1;
  #nextOrder = 1;

  constructor(parts: OutboxParts, channels: readonly Channel[]) {
    this.#parts = parts;
    const { clock, logger, random, onTry } = parts;
    this.#dispatcher = new Dispatcher(
      {
        clock,
        logger,
        random,
        onTry,
        threadOf: (letter) => this.#threads.of(letter),
        onThread: (letter, thread) => {
          this.#threads.note(letter, thread, clock.nowMs());
          parts.onNote?.();
        },
        onEnd: (end) => this.#onEnd(end),
      },
      channels,
    );
  }

  /** The configured channels. */
  status(): ChannelStatus[] {
    return this.#dispatcher.status();
  }

  counts(): ReadonlyMap<string, Readonly<ChannelCounts>> {
    return this.#dispatcher.counts();
  }

  /** The names of those that are told when Kong's configuration changes. */
  channelsOfChanges(): string[] {
    return this.#dispatcher
      .status()
      .flatMap(({ name }) => (this.#dispatcher.channel(name)?.sendChange ? [name] : []));
  }

  /** The newest first. */
  deadLetters(): DeadLetter[] {
    this.#dead.forget(this.#parts.clock.nowMs());
    return this.#dead.list();
  }

  /** Dead letters that there was no room or time for any more, since the start of the process. */
  get deadLettersLetGo(): number {
    return this.#dead.letGo;
  }

  /** Takes letters in the order in which they must reach each channel. They are sent once they are released. */
  post(letters: readonly Letter[]): void {
    for (const letter of letters) {
      const { id, channel } = letter;
      const sinceMs = this.#parts.clock.nowMs();
      // A state is made anew at the next start, and never worth sending later.
      if (letter.kind === 'standing')
        this.#put({ letter, sinceMs, meantFor: channel, order: 0, origin: undefined });
      else
        this.#wait({ letter, sinceMs, meantFor: channel, order: this.#nextOrder++, origin: { channel, id } });
    }
  }

  /** The number of what was posted last, for `release`. */
  get lastPosted(): number {
    return this.#lastPosted;
  }

  /**
   * Sends what was posted. To be called once it is on disk, or cannot get there.
   *
   * @param upTo what `lastPosted` was when the changes were taken that are on disk now; others may have been posted since
   */
  release(upTo = Infinity): void {
    const ready = this.#posted.filter(({ number }) => number <= upTo);
    this.#posted = this.#posted.filter(({ number }) => number > upTo);
    this.#dispatcher.dispatch(ready);
  }

  /**
   * Posts what still holds of a dead letter again, to its own channel and with a new deadline; it is to be released, and the
   * routing to be told of it.
   *
   * @param fires whether the alert of this key does
   */
  sendAgain(id: string, fires: (alertKey: string) => boolean): SendAgainAnswer {
    const dead = this.#dead.get(id);
    if (!dead) return { outcome: 'not_found' };
    // Where that is gone the channel of the letter is told for itself.
    const meantFor = this.#dispatcher.channel(dead.meantFor) ? dead.meantFor : dead.letter.channel;
    const letter = stillTrue(dead.letter, fires);
    if (!letter) return { outcome: 'obsolete' };
    if (!this.#dispatcher.channel(letter.channel)) return { outcome: 'no_channel' };
    this.#dead.delete(id);
    const origin = { channel: meantFor, id };
    const sinceMs = this.#parts.clock.nowMs();
    this.#wait({ letter, sinceMs, meantFor, order: this.#nextOrder++, origin });
    return { outcome: 'posted', letter, meantFor };
  }

  /** Whether there was such a dead letter. */
  discard(id: string): boolean {
    return this.#dead.delete(id);
  }

  /** For a reload. Letters to a channel that is gone are posted to its fallback, or are dead letters. */
  reconfigure(channels: readonly Channel[]): void {
    this.#dispatcher.reconfigure(channels);
  }

  /** Who was told of alerts in the place of a channel that there is no more: each once, for the routing to go on with. */
  orphans(): readonly Orphans[] {
    return this.#standIns.takeOrphans((channel) => this.#dispatcher.channel(channel) !== undefined);
  }

  /** See Dispatcher. */
  async drain(timeoutMs: number): Promise<void> {
    await this.#dispatcher.drain(timeoutMs);
  }

  /** What to keep and to forget on disk since the last call. */
  takeDirty(): MemoryChanges {
    return joinChanges([
      this.#written.takeDirty(),
      this.#threads.takeDirty(),
      this.#standIns.takeDirty(),
      this.#dead.takeDirty(),
    ]);
  }

  /**
   * What an earlier process left, posted again; it is to be released.
   *
   * @param own the entries of the memory under one of its prefixes, in order
   */
  restore(
    own: (prefix: string) => Iterable<readonly [key: string, value: unknown]>,
    rules: readonly Rule[],
  ): { readonly unreadable: number; readonly origins: readonly Origin[] } {
    let unreadable =
      this.#threads.restore(own(MEMORY_KEYS.thread)) +
      this.#standIns.restore(own(MEMORY_KEYS.standIn)) +
      this.#dead.restore(own(MEMORY_KEYS.deadLetter), rules);
    this.#nextOrder = Math.max(this.#nextOrder, this.#standIns.lastOrder + 1);
    for (const [key, value] of own(MEMORY_KEYS.delivery)) {
      if (Number.isSafeInteger(Number(key))) this.#nextKey = Math.max(this.#nextKey, Number(key) + 1);
      const { data } = waitingShape.safeParse(value);
      const letter = data && decodeLetter(data.letter, rules);
      if (!data || !letter) {
        unreadable += 1;
        this.#written.forget(key);
        continue;
      }
      const { sinceMs, meantFor, order, origin } = data;
      const waiting = { letter, sinceMs, meantFor, order, origin: origin ?? undefined };
      this.#nextOrder = Math.max(this.#nextOrder, order + 1);
      this.#waiting.set(letter.id, { ...waiting, key, isOfEarlierProcess: true });
      this.#written.restore(key, value);
      this.#put(waiting);
    }
    return { unreadable, origins: this.#posted.flatMap(({ origin }) => origin ?? []) };
  }

  #wait(waiting: Waiting): void {
    const key = String(this.#nextKey++).padStart(16, '0');
    this.#waiting.set(waiting.letter.id, { ...waiting, key, isOfEarlierProcess: false });
    this.#written.set(key, { ...waiting, letter: encodeLetter(waiting.letter) });
    if (isInPlace(waiting)) this.#standIns.posted(waiting, waiting.sinceMs);
    this.#put(waiting);
  }

  #put(waiting: Waiting): void {
    this.#lastPosted += 1;
    this.#posted.push({ ...waiting, number: this.#lastPosted });
  }

  #onEnd(end: LetterEnd): void {
    const { letter, how, reason, failures } = end;
    const nowMs = this.#parts.clock.nowMs();
    const waiting = this.#waiting.get(letter.id);
    this.#waiting.delete(letter.id);
    if (waiting) this.#written.delete(waiting.key);
    const { origin, meantFor = letter.channel, order = 0 } = waiting ?? {};
    const meant = { letter, meantFor, order };
    if (isInPlace(meant)) {
      const wasTaken = how === 'sent' || (waiting?.isOfEarlierProcess === true ? undefined : false);
      this.#standIns.ended(meant, { wasTaken, isFollowUp: origin === undefined }, nowMs);
    }
    if (how === 'sent') {
      this.#threads.letterArrived(letter, nowMs);
      this.#dead.letterArrived(letter, meantFor, nowMs);
      this.#tellStandIns(meant);
      if (!isInPlace(meant) && isOfAlerts(meant)) this.#standIns.ownTook(meant, nowMs);
      // Of an end that only another has taken its own channel knows nothing, and is told again.
      const ends = isInPlace(meant) ? endsIn(meant.letter) : [];
      const untold = ends.length === 0 ? {} : { untold: ends };
      this.#parts.onEnd({ ...end, next: undefined, delivery: origin && { ...origin, how, ...untold } });
      return;
    }
    this.#threads.letterFailed(letter);
    if (letter.kind === 'standing') {
      this.#parts.onEnd({ ...end, next: undefined, delivery: undefined });
      return;
    }
    const why = reason ?? 'no reason is known';
    const next = this.#fallbackFor(end);
    if (next !== undefined && isOfAlerts(meant) && this.#standIns.knowsEnds(meant, next)) {
      this.#parts.onEnd({ ...end, next: undefined, delivery: origin && { ...origin, how } });
      return;
    }
    if (next === undefined) {
      const dead = { letter, how, reason: why, failures, failedMs: nowMs, toldSinceMs: undefined };
      this.#dead.add(dead, meantFor);
      this.#parts.logger.error(
        { id: letter.id, channel: letter.channel },
        'nobody took it; kept as a dead letter',
      );
      this.#parts.onEnd({ ...end, next, delivery: origin && { ...origin, how } });
      return;
    }
    this.#wait({ letter: inPlaceOf(letter, next, why), sinceMs: nowMs, meantFor, order, origin });
    this.#parts.logger.warn(
      { id: letter.id, channel: letter.channel, fallback: next },
      'its fallback is told',
    );
    this.#parts.onEnd({ ...end, next, delivery: undefined });
  }

  /** Of what somebody has taken. */
  #tellStandIns(meant: Meant): void {
    if (!isOfAlerts(meant)) return;
    const { letter, meantFor, order } = meant;
    const sinceMs = this.#parts.clock.nowMs();
    for (const [channel, items] of this.#standIns.newsOf(meant))
      if (this.#dispatcher.channel(channel))
        this.#wait({ letter: followUp(letter, channel, items), sinceMs, meantFor, order, origin: undefined });
  }

  #fallbackFor({ letter, fallback }: LetterEnd): string | undefined {
    const next = fallback === undefined ? undefined : this.#dispatcher.channel(fallback);
    if (!next || (letter.kind === 'change' && !next.sendChange)) return undefined;
    return fallback;
  }
}

type Meant = Pick<Waiting, 'letter' | 'meantFor' | 'order'>;

function isOfAlerts(meant: Meant): meant is MeantLetter {
  return meant.letter.kind === 'group' || meant.letter.kind === 'digest';
}

/** Of alerts, for a channel that was not to be told. */
function isInPlace(meant: Meant): meant is MeantLetter {
  return isOfAlerts(meant) && meant.letter.channel !== meant.meantFor;
}

/** Keys of the alerts that it says last are over. */
function endsIn({ items }: Notification): string[] {
  return lastWords(items).flatMap(({ item }) => (item.occasion === 'resolved' ? [item.alertKey] : []));
}

/** The same letter for another channel, which says in whose place it is told. */
function inPlaceOf(letter: Letter, channel: string, reason: string): Letter {
  const id = idFor(letter, channel);
  if (letter.kind === 'change') return { ...letter, id, channel };
  const { insteadOf: first } = letter;
  const insteadOf = first
    ? { channel: first.channel, reason: `${first.reason}; nor did ${letter.channel}: ${reason}` }
    : { channel: letter.channel, reason };
  return { ...letter, id, channel, insteadOf };
}

/** What a channel that was told of alerts in the place of another is told of them from then on. */
function followUp(letter: Notification, channel: string, items: readonly NotificationItem[]): Notification {
  return { ...letter, id: idFor(letter, channel), channel, items, leftOut: 0 };
}

/** The same whenever it is asked for. */
function idFor({ id }: Letter, channel: string): string {
  return createHash('sha256')
    .update(JSON.stringify([id, channel]))
    .digest('hex')
    .slice(0, 16);
}
