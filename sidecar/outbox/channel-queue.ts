// The letters on their way to one channel, oldest first, some of them at a time. Two that share an alert or a group never overtake
// each other: what is tried or waits holds up those behind it that tell of the same, and no other.
// A try that may succeed later is repeated after a back-off, until the channel's deadline; where the receiver names a time, nothing
// at all is tried before it, and what that is too late for has expired. Tries begin no faster than the channel's rate. Over
// MAX_QUEUED the oldest are dropped.
// What ends before its time, ends in its turn too: a fallback is told in the same order.
// Every end has a counter and a log line. What is in the queue when the process dies was written down by the outbox.
import { types } from 'node:util';
import type { Logger } from 'pino';
import type { Channel, Outcome, Thread } from '../channel/channel';
import type { Clock } from '../clock';
import { orderKeysOf, type Letter } from '../notify/letter';
import { backOffMs } from './back-off';
import { RateLimit } from './rate-limit';

/** More alerts than anybody reads; bounds the memory of a channel that is down. */
export const MAX_QUEUED = 1_000;

/** Twice the longest timeout there is. A channel that is still not done is broken: what it was given goes on without it. */
export const MOST_TRY_MS = 120_000;

/** How letters ended, and how many tries are to be repeated; since the start of the process. */
export interface ChannelCounts {
  sent: number;
  /** Tries that failed and may succeed later. */
  retried: number;
  refused: number;
  expired: number;
  /** Over MAX_QUEUED, or not sent when the channel was removed. */
  dropped: number;
  /** States of all alerts that waited when a newer one came. */
  replaced: number;
}

/** How a letter has ended on its channel. */
export interface LetterEnd {
  readonly letter: Letter;
  readonly how: 'sent' | 'refused' | 'expired' | 'dropped';
  /** Why it was not sent, or what went wrong though it was; without secrets. */
  readonly reason: string | undefined;
  /** Tries that failed and were repeated. */
  readonly failures: number;
  /** From when it was written for this channel, ms; measured, but for what a restart or a way through the disk took. */
  readonly tookMs: number;
  /** Of the channel, as it was then. */
  readonly fallback: string | undefined;
}

/** One try. */
export interface Try {
  readonly channel: string;
  readonly result: Outcome['result'];
  readonly durationMs: number;
}

export interface QueueParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 to 1; spreads repeated tries. */
  readonly random: () => number;
  /** What the channel remembers of the group that a letter is about. */
  readonly threadOf: (letter: Letter) => Thread | undefined;
  readonly onThread: (letter: Letter, thread: Thread) => void;
  readonly onTry: (made: Try) => void;
  /** Told of the end of each letter, but not of one that the end of the process interrupts. Must not throw. */
  readonly onEnd: (end: LetterEnd) => void;
}

/** A letter, and from when its deadline counts, Unix ms. */
export interface Arrival {
  readonly letter: Letter;
  readonly sinceMs: number;
}

interface Queued {
  readonly letter: Letter;
  readonly orderKeys: readonly string[];
  /** From when its deadline counts, monotonic ms. */
  readonly sinceMs: number;
  /** Before that it is not tried, monotonic ms. */
  dueMs: number;
  failures: number;
  isTried: boolean;
}

export class ChannelQueue {
  readonly #parts: QueueParts;
  readonly #counts: ChannelCounts;
  readonly #rate: RateLimit;
  #queued: Queued[] = [];
  #channel: Channel;
  #lastProblem: string | undefined;
  #closedBecause: string | undefined;
  #isInterrupted = false;
  /** The receiver wants nothing before that, monotonic ms. */
  #pausedUntilMs = 0;
  #inFlight = 0;
  #cancelWake: (() => void) | undefined;
  #tellEmpty: (() => void)[] = [];

  constructor(channel: Channel, counts: ChannelCounts, parts: QueueParts) {
    this.#channel = channel;
    this.#counts = counts;
    this.#parts = parts;
    this.#rate = new RateLimit(channel.delivery.maxPerMinute, parts.clock.monotonicMs());
  }

  get channel(): Channel {
    return this.#channel;
  }

  /** Letters that have not ended yet, those being tried included. */
  get length(): number {
    return this.#queued.length;
  }

  /** What was wrong with the latest try; `undefined` once one was sent as it should. Without secrets. */
  get lastProblem(): string | undefined {
    return this.#lastProblem;
  }

  /** Takes more, in order, and looks once what to do. */
  add(arrivals: readonly Arrival[]): void {
    for (const { letter, sinceMs } of arrivals) this.#take(letter, sinceMs);
    this.#goOn();
  }

  #take(letter: Letter, sinceMs: number): void {
    if (this.#isInterrupted) return;
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    // After a start it may have waited long already; a clock that was set back has not made it younger than new.
    const ageMs = Math.max(0, clock.nowMs() - sinceMs);
    if (this.#closedBecause !== undefined) {
      this.#drop({ letter, failures: 0, sinceMs: nowMs - ageMs }, this.#closedBecause);
      return;
    }
    const replaced = letter.kind === 'standing' ? this.#takeStanding() : undefined;
    this.#queued.push({
      letter,
      orderKeys: orderKeysOf(letter),
      sinceMs: nowMs - ageMs,
      dueMs: replaced?.dueMs ?? nowMs,
      failures: replaced?.failures ?? 0,
      isTried: false,
    });
  }

  /** A state of all alerts that waits is worth nothing beside a newer one, which waits in its place. */
  #takeStanding(): Queued | undefined {
    const old = this.#queued.find(({ letter, isTried }) => letter.kind === 'standing' && !isTried);
    if (old) this.#replace(old);
    return old;
  }

  /** @returns whether there was a newer one */
  #makeWayForNewer(old: Queued): boolean {
    if (old.letter.kind !== 'standing') return false;
    const newer = this.#queued.findLast(({ letter }) => letter.kind === 'standing');
    if (!newer || newer === old) return false;
    newer.dueMs = Math.max(newer.dueMs, old.dueMs);
    newer.failures = Math.max(newer.failures, old.failures);
    this.#replace(old);
    return true;
  }

  #replace(old: Queued): void {
    this.#queued = this.#queued.filter((queued) => queued !== old);
    this.#counts.replaced += 1;
  }

  /**
   * From the next try on, which is made at once: the settings may just have been corrected. Where nothing of them has changed the
   * receiver is left alone for as long as it has asked for.
   */
  replaceChannel(channel: Channel): void {
    const isSame = channel.fingerprint !== undefined && channel.fingerprint === this.#channel.fingerprint;
    this.#channel = channel;
    this.#rate.reconfigure(channel.delivery.maxPerMinute, this.#parts.clock.monotonicMs());
    if (!isSame) this.#pausedUntilMs = 0;
    this.retryNow();
  }

  /** Ends every wait for a next try, but those for the channel's rate and for the time that its receiver has named. */
  retryNow(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const queued of this.#queued) queued.dueMs = nowMs;
    this.#goOn();
  }

  /** Settles once nothing is queued. */
  whenEmpty(): Promise<void> {
    if (this.#queued.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#tellEmpty.push(resolve));
  }

  /** Leaves what is queued to the next start, and takes no more. What is being tried may still end as sent. */
  interrupt(): void {
    this.#isInterrupted = true;
    const left = this.#queued.length;
    this.#queued = this.#queued.filter(({ isTried }) => isTried);
    if (left > 0)
      this.#parts.logger.warn({ channel: this.#channel.name, left }, 'to be sent after the next start');
    this.#goOn();
  }

  /** Drops what is queued and what still comes. What is being tried is dropped too: nobody waits to hear how that ends. */
  close(reason: string): void {
    this.#closedBecause = reason;
    for (const queued of this.#queued.splice(0)) this.#drop(queued, reason);
    this.#goOn();
  }

  /** Begins every try that may begin now, and sees to it that the next one does in time. */
  #goOn(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#expire(nowMs);
    this.#dropOverflow();
    const isPaused = this.#pausedUntilMs > nowMs;
    let wakeMs = isPaused && this.#queued.length > 0 ? this.#pausedUntilMs : Infinity;
    for (const queued of isPaused ? [] : this.#free()) {
      if (this.#inFlight >= this.#channel.delivery.maxInFlight) break;
      if (queued.dueMs > nowMs) {
        wakeMs = Math.min(wakeMs, queued.dueMs);
        continue;
      }
      if (!this.#rate.take(nowMs)) {
        wakeMs = Math.min(wakeMs, nowMs + this.#rate.waitMs(nowMs));
        break;
      }
      void this.#try(queued);
    }
    for (const queued of this.#queued) {
      const deadlineMs = this.#deadlineOf(queued);
      // What is late already ends with what holds it up.
      if (!queued.isTried && deadlineMs > nowMs) wakeMs = Math.min(wakeMs, deadlineMs);
    }
    if (wakeMs < Infinity)
      this.#cancelWake = clock.after(Math.max(0, wakeMs - nowMs), () => {
        this.#goOn();
      });
    if (this.#queued.length === 0) for (const tell of this.#tellEmpty.splice(0)) tell();
  }

  /** Those that no older one holds up, oldest first. */
  *#free(): Generator<Queued> {
    const held = new Set<string>();
    for (const queued of this.#queued) {
      if (!queued.isTried && !queued.orderKeys.some((key) => held.has(key))) yield queued;
      for (const key of queued.orderKeys) held.add(key);
    }
  }

  #deadlineOf({ sinceMs }: Queued): number {
    return sinceMs + this.#channel.delivery.deadlineMs;
  }

  #expire(nowMs: number): void {
    const nextMs = Math.max(nowMs, this.#pausedUntilMs);
    const isLate = (queued: Queued): boolean => !queued.isTried && this.#deadlineOf(queued) <= nextMs;
    if (!this.#queued.some(isLate)) return;
    const reason = this.#lastProblem ?? 'it waited for its turn until its deadline';
    const held = new Set<string>();
    for (const queued of [...this.#queued]) {
      if (isLate(queued) && !queued.orderKeys.some((key) => held.has(key)))
        this.#end(queued, 'expired', reason);
      else for (const key of queued.orderKeys) held.add(key);
    }
  }

  #dropOverflow(): void {
    while (this.#queued.length > MAX_QUEUED) {
      // What is being tried ends soon; what it holds up goes after it.
      const [oldest] = this.#free();
      if (!oldest) return;
      this.#queued = this.#queued.filter((queued) => queued !== oldest);
      this.#drop(oldest, `${MAX_QUEUED} others are waiting`);
    }
  }

  async #try(queued: Queued): Promise<void> {
    queued.isTried = true;
    this.#inFlight += 1;
    const { clock, onThread, onTry } = this.#parts;
    const startedMs = clock.monotonicMs();
    const outcome = await this.#send(queued.letter);
    this.#inFlight -= 1;
    queued.isTried = false;
    const durationMs = clock.monotonicMs() - startedMs;
    onTry({ channel: this.#channel.name, result: outcome.result, durationMs });
    // It may have been dropped, or left to the next start, while it was tried.
    if (this.#queued.includes(queued)) {
      if (outcome.thread) onThread(queued.letter, outcome.thread);
      if (this.#isInterrupted && outcome.result !== 'sent')
        this.#queued = this.#queued.filter((other) => other !== queued);
      else if (outcome.result === 'retry') this.#repeatLater(queued, outcome.reason, outcome.afterMs);
      else if (outcome.result === 'refused') this.#end(queued, 'refused', outcome.reason);
      else this.#end(queued, 'sent', outcome.warning);
    }
    this.#goOn();
  }

  #repeatLater(queued: Queued, reason: string, afterMs: number | undefined): void {
    const { clock, random, logger } = this.#parts;
    const nowMs = clock.monotonicMs();
    queued.failures += 1;
    this.#counts.retried += 1;
    this.#lastProblem = reason;
    const wishMs = afterMs !== undefined && afterMs > 0 ? afterMs : 0;
    // A receiver that names next year is not left alone for longer than a letter may wait.
    const pauseMs = Math.min(wishMs, this.#channel.delivery.deadlineMs);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + pauseMs);
    const waitMs = Math.max(backOffMs(queued.failures, random()), wishMs);
    queued.dueMs = nowMs + waitMs;
    if (this.#makeWayForNewer(queued)) return;
    if (queued.dueMs > this.#deadlineOf(queued)) {
      this.#end(queued, 'expired', reason);
      return;
    }
    const fields = { ...fieldsOf(queued.letter), reason, waitMs: Math.round(waitMs) };
    logger.warn(fields, 'notification not sent yet, to be tried again');
  }

  /** Takes one out of the queue, for good. */
  #end(queued: Queued, how: 'sent' | 'refused' | 'expired', reason?: string): void {
    const { letter, failures } = queued;
    this.#queued = this.#queued.filter((other) => other !== queued);
    this.#counts[how] += 1;
    this.#lastProblem = reason;
    const fields = { ...fieldsOf(letter), failures };
    if (how === 'sent' && reason !== undefined)
      this.#parts.logger.warn({ ...fields, reason }, 'notification sent, but not as it should');
    else if (how === 'sent') this.#parts.logger.info(fields, 'notification sent');
    else this.#parts.logger.error({ ...fields, reason }, `notification ${how}, given up`);
    const { fallback } = this.#channel.delivery;
    this.#parts.onEnd({ letter, how, reason, failures, tookMs: this.#ageOf(queued), fallback });
  }

  #ageOf({ sinceMs }: Pick<Queued, 'sinceMs'>): number {
    return this.#parts.clock.monotonicMs() - sinceMs;
  }

  /** Never rejects, and ends within MOST_TRY_MS, whatever the channel does. */
  async #send(letter: Letter): Promise<Outcome> {
    let cancel = (): void => undefined;
    const late = new Promise<Outcome>((resolve) => {
      cancel = this.#parts.clock.after(MOST_TRY_MS, () => {
        resolve({ result: 'retry', reason: 'the channel itself did not end', afterMs: undefined });
      });
    });
    try {
      return await Promise.race([this.#give(letter), late]);
    } catch (error) {
      // Not the message, which may hold a secret.
      const kind = types.isNativeError(error) ? error.name : typeof error;
      this.#parts.logger.error(
        { channel: this.#channel.name, kind },
        'a channel failed by a fault of its own',
      );
      return { result: 'retry', reason: 'the channel itself failed', afterMs: undefined };
    } finally {
      cancel();
    }
  }

  async #give(letter: Letter): Promise<Outcome> {
    if (letter.kind !== 'change') return this.#channel.send(letter, this.#parts.threadOf(letter));
    const told = await this.#channel.sendChange?.(letter);
    return told ?? { result: 'refused', reason: 'it is not told of changes' };
  }

  #drop(queued: Pick<Queued, 'letter' | 'failures' | 'sinceMs'>, reason: string): void {
    const { letter, failures } = queued;
    this.#counts.dropped += 1;
    this.#parts.logger.error({ ...fieldsOf(letter), reason }, 'notification dropped');
    const { fallback } = this.#channel.delivery;
    this.#parts.onEnd({ letter, how: 'dropped', reason, failures, tookMs: this.#ageOf(queued), fallback });
  }
}

/** What the log says of a letter. */
export function fieldsOf(letter: Letter): object {
  if (letter.kind === 'change')
    return { channel: letter.channel, kind: letter.kind, instance: letter.instance };
  const { channel, kind, groupKey, items } = letter;
  const alerts = items.map(({ alert, occasion }) => `${occasion} ${alert.rule.name}`);
  return { channel, kind, group: groupKey, alerts: alerts.slice(0, 5), count: alerts.length };
}
