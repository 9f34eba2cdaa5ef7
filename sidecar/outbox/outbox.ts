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
import type { Notification, NotificationItem } from '../notify/notification';
import type { Delivery } from '../route/delivery';
import type { ChannelCounts, LetterEnd, Try } from './channel-queue';
import { DeadLetterBook, stillTrue, type DeadLetter } from './dead-letter-book';
import { Dispatcher, type ChannelStatus } from './dispatcher';
import { StandInBook } from './stand-in-book';
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
  /** From when it was written for this channel until its end, ms. */
  readonly tookMs: number;
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

/** `over`: nothing of it holds any more. */
export type SendAgainAnswer =
  | { readonly outcome: 'posted'; readonly letter: Letter; readonly meantFor: string }
  | { readonly outcome: 'not_found' | 'no_channel' | 'over' };

interface Waiting {
  readonly letter: Letter;
  /** From when its deadline counts, Unix ms. */
  readonly sinceMs: number;
  /** The channels that it was written for: the first is who it is meant for, the last its own. */
  readonly passed: readonly [string, ...string[]];
  /** `undefined` where the routing does not wait for it. */
  readonly origin: Origin | undefined;
}

const waitingShape = z.object({
  letter: z.unknown(),
  sinceMs: z.number(),
  passed: z.tuple([z.string()], z.string()),
  origin: z.object({ channel: z.string(), id: z.string() }).nullish(),
});

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #dispatcher: Dispatcher;
  readonly #threads = new ThreadBook();
  readonly #standIns = new StandInBook();
  readonly #dead = new DeadLetterBook();
  /** By the letter's id. */
  readonly #waiting = new Map<string, Waiting & { readonly key: string }>();
  /** The same on disk, in their order. */
  readonly #written = new DirtyMap<unknown>(MEMORY_KEYS.delivery);
  #posted: (Waiting & { readonly number: number })[] = [];
  #lastPosted = 0;
  #nextKey = 1;

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
      if (letter.kind === 'standing') this.#put({ letter, sinceMs, passed: [channel], origin: undefined });
      else this.#wait({ letter, sinceMs, passed: [channel], origin: { channel, id } });
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
    const { meantFor } = dead;
    const letter = stillTrue(dead.letter, fires);
    if (!letter) return { outcome: 'over' };
    if (!this.#dispatcher.channel(letter.channel)) return { outcome: 'no_channel' };
    this.#dead.delete(id);
    const passed: Waiting['passed'] = letter.channel === meantFor ? [meantFor] : [meantFor, letter.channel];
    const origin = { channel: meantFor, id };
    this.#wait({ letter, sinceMs: this.#parts.clock.nowMs(), passed, origin });
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
    for (const [key, value] of own(MEMORY_KEYS.delivery)) {
      if (Number.isSafeInteger(Number(key))) this.#nextKey = Math.max(this.#nextKey, Number(key) + 1);
      const { data } = waitingShape.safeParse(value);
      const letter = data && decodeLetter(data.letter, rules);
      if (!data || !letter) {
        unreadable += 1;
        this.#written.forget(key);
        continue;
      }
      const { sinceMs, passed, origin } = data;
      const waiting = { letter, sinceMs, passed, origin: origin ?? undefined };
      this.#waiting.set(letter.id, { ...waiting, key });
      this.#written.restore(key, value);
      this.#put(waiting);
    }
    return { unreadable, origins: this.#posted.flatMap(({ origin }) => origin ?? []) };
  }

  #wait(waiting: Waiting): void {
    const key = String(this.#nextKey++).padStart(16, '0');
    this.#waiting.set(waiting.letter.id, { ...waiting, key });
    this.#written.set(key, { ...waiting, letter: encodeLetter(waiting.letter) });
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
    const { origin, passed = [letter.channel], sinceMs = nowMs } = waiting ?? {};
    const [meantFor] = passed;
    const tookMs = Math.max(0, nowMs - sinceMs);
    if (how === 'sent') {
      this.#threads.letterArrived(letter, nowMs);
      this.#dead.letterArrived(letter, meantFor, nowMs);
      this.#tellStandIns(letter, passed, undefined);
      this.#parts.onEnd({ ...end, tookMs, next: undefined, delivery: origin && { ...origin, how } });
      return;
    }
    this.#threads.letterFailed(letter);
    if (letter.kind === 'standing') {
      this.#parts.onEnd({ ...end, tookMs, next: undefined, delivery: undefined });
      return;
    }
    const why = reason ?? 'no reason is known';
    const next = this.#fallbackFor(end);
    if (next === undefined) {
      const dead = { letter, how, reason: why, failures, failedMs: nowMs, toldSinceMs: undefined };
      this.#dead.add(dead, meantFor);
      this.#parts.logger.error(
        { id: letter.id, channel: letter.channel },
        'nobody took it; kept as a dead letter',
      );
      this.#parts.onEnd({ ...end, tookMs, next, delivery: origin && { ...origin, how } });
      return;
    }
    this.#wait({ letter: inPlaceOf(letter, next, why), sinceMs: nowMs, passed: [...passed, next], origin });
    this.#tellStandIns(letter, passed, next);
    this.#parts.logger.warn(
      { id: letter.id, channel: letter.channel, fallback: next },
      'its fallback is told',
    );
    this.#parts.onEnd({ ...end, tookMs, next, delivery: undefined });
  }

  #tellStandIns(letter: Letter, passed: Waiting['passed'], next: string | undefined): void {
    if (letter.kind === 'change' || letter.kind === 'standing') return;
    const nowMs = this.#parts.clock.nowMs();
    const news = this.#standIns.ended({ letter, meantFor: passed[0], next }, nowMs);
    for (const [channel, items] of news) {
      // A fallback that was turned round by a reload would tell it back.
      if (passed.includes(channel) || !this.#dispatcher.channel(channel)) continue;
      const own = followUp(letter, channel, items);
      this.#wait({ letter: own, sinceMs: nowMs, passed: [...passed, channel], origin: undefined });
    }
  }

  #fallbackFor({ letter, fallback }: LetterEnd): string | undefined {
    const next = fallback === undefined ? undefined : this.#dispatcher.channel(fallback);
    if (!next || (letter.kind === 'change' && !next.sendChange)) return undefined;
    return fallback;
  }
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
