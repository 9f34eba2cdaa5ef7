// The notifications on their way to one channel, oldest first, one try at a time, so the order of every alert is kept.
// A try that may succeed later is repeated after a back-off, or after the receiver's own wish where that is longer, until an
// hour after the notification was made; those behind it wait. Then it is expired. Over MAX_QUEUED new ones are dropped.
// Every end has a counter and a log line. What is in the queue when the process dies was written down by the sidecar's memory.
import type { Logger } from 'pino';
import type { Clock } from '../clock';
import { backOffMs } from './back-off';
import type { Channel, Outcome } from './channel';
import type { Notification } from './notification';

/** More alerts than anybody reads; bounds the memory of a channel that is down. */
export const MAX_QUEUED = 1_000;

/** A page that is an hour old would wake somebody for the past. */
export const DEADLINE_MS = 3_600_000;

/** How notifications ended, and how many tries are to be repeated; since the start of the process. */
export interface ChannelCounts {
  sent: number;
  /** Tries that failed and may succeed later. */
  retried: number;
  refused: number;
  expired: number;
  /** Over MAX_QUEUED, or not sent when the channel was removed. */
  dropped: number;
}

/** How a notification has ended. */
export interface DeliveryEnd {
  readonly notification: Notification;
  readonly how: 'sent' | 'refused' | 'expired' | 'dropped';
  /** Why it was not sent; without secrets. */
  readonly reason: string | undefined;
}

export interface ChannelQueueParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 to 1. */
  readonly random: () => number;
  readonly counts: ChannelCounts;
  readonly onEnd: (end: DeliveryEnd) => void;
}

interface Queued {
  readonly notification: Notification;
  /** Monotonic ms. */
  readonly deadlineMs: number;
  failures: number;
}

export class ChannelQueue {
  readonly #parts: ChannelQueueParts;
  /** The first is the one that is tried. */
  readonly #queued: Queued[] = [];
  #channel: Channel;
  #lastProblem: string | undefined;
  #closedBecause: string | undefined;
  #isInterrupted = false;
  #running: Promise<void> | undefined;
  #endWait: (() => void) | undefined;

  constructor(channel: Channel, parts: ChannelQueueParts) {
    this.#channel = channel;
    this.#parts = parts;
  }

  get channel(): Channel {
    return this.#channel;
  }

  /** Notifications that have not ended yet, the one being tried included. */
  get length(): number {
    return this.#queued.length;
  }

  /** Why the latest try was not sent; `undefined` once one was. Without secrets. */
  get lastProblem(): string | undefined {
    return this.#lastProblem;
  }

  /** Takes one more. */
  add(notification: Notification): void {
    if (this.#isInterrupted) return;
    const full = this.#queued.length >= MAX_QUEUED ? `${MAX_QUEUED} are waiting already` : undefined;
    const refusal = this.#closedBecause ?? full;
    if (refusal !== undefined) {
      this.#drop(notification, refusal);
      return;
    }
    const { clock } = this.#parts;
    // After a start it may have waited long already; a clock that was set back has not made it younger than new.
    const ageMs = Math.min(DEADLINE_MS, Math.max(0, clock.nowMs() - notification.createdMs));
    const deadlineMs = clock.monotonicMs() + DEADLINE_MS - ageMs;
    this.#queued.push({ notification, deadlineMs, failures: 0 });
    if (this.#running) return;
    const running = this.#run();
    // What has expired already has ended by now.
    this.#running = this.#queued.length > 0 ? running : undefined;
  }

  /** From the next try on, which is made at once: the settings may just have been corrected. */
  replaceChannel(channel: Channel): void {
    this.#channel = channel;
    this.retryNow();
  }

  /** Ends the wait for the next try. */
  retryNow(): void {
    this.#endWait?.();
  }

  /** Settles once nothing is queued. */
  async whenEmpty(): Promise<void> {
    await this.#running;
  }

  /** Leaves what is queued to the next start, and takes no more. */
  interrupt(): void {
    this.#isInterrupted = true;
    const left = this.#queued.splice(0).length;
    if (left > 0)
      this.#parts.logger.warn({ channel: this.#channel.name, left }, 'to be sent after the next start');
    this.retryNow();
  }

  /** Drops what is queued and what still comes. What is being tried is dropped too: nobody waits to hear how that ends. */
  close(reason: string): void {
    this.#closedBecause = reason;
    for (const { notification } of this.#queued.splice(0)) this.#drop(notification, reason);
    this.retryNow();
  }

  async #run(): Promise<void> {
    for (let head = this.#queued[0]; head; head = this.#queued[0]) {
      if (this.#parts.clock.monotonicMs() >= head.deadlineMs) {
        this.#end(head, 'expired');
        continue;
      }
      const outcome = await this.#send(head.notification);
      if (head !== this.#queued[0]) continue;
      if (outcome.result === 'retry') await this.#repeatLater(head, outcome.reason, outcome.afterMs);
      else if (outcome.result === 'refused') this.#end(head, 'refused', outcome.reason);
      else this.#end(head, 'sent');
    }
    this.#running = undefined;
  }

  async #repeatLater(queued: Queued, reason: string, afterMs: number | undefined): Promise<void> {
    const { clock, random, counts, logger } = this.#parts;
    queued.failures += 1;
    counts.retried += 1;
    this.#lastProblem = reason;
    const waitMs = Math.max(backOffMs(queued.failures, random()), afterMs ?? 0);
    if (clock.monotonicMs() + waitMs > queued.deadlineMs) {
      this.#end(queued, 'expired', reason);
      return;
    }
    const fields = { ...fieldsOf(queued.notification), reason, waitMs: Math.round(waitMs) };
    logger.warn(fields, 'notification not sent yet, to be tried again');
    await this.#wait(waitMs);
  }

  /** Takes the first out of the queue, for good. */
  #end(queued: Queued, how: 'sent' | 'refused' | 'expired', reason?: string): void {
    this.#queued.shift();
    this.#parts.counts[how] += 1;
    this.#lastProblem = how === 'sent' ? undefined : (reason ?? this.#lastProblem);
    const fields = { ...fieldsOf(queued.notification), failures: queued.failures };
    if (how === 'sent') this.#parts.logger.info(fields, 'notification sent');
    else this.#parts.logger.error({ ...fields, reason: this.#lastProblem }, `notification ${how}, given up`);
    this.#parts.onEnd({ notification: queued.notification, how, reason: this.#lastProblem });
  }

  async #send(notification: Notification): Promise<Outcome> {
    try {
      return await this.#channel.send(notification);
    } catch {
      return { result: 'retry', reason: 'the channel itself failed', afterMs: undefined };
    }
  }

  #wait(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#endWait = undefined;
        resolve();
      };
      const cancel = this.#parts.clock.after(waitMs, end);
      this.#endWait = end;
    });
  }

  #drop(notification: Notification, reason: string): void {
    this.#parts.counts.dropped += 1;
    this.#parts.logger.error({ ...fieldsOf(notification), reason }, 'notification dropped');
    this.#parts.onEnd({ notification, how: 'dropped', reason });
  }
}

/** What the log says of a notification. */
export function fieldsOf({ channel, kind, groupKey, items }: Notification): object {
  const alerts = items.map(({ alert, occasion }) => `${occasion} ${alert.rule.name}`);
  return { channel, kind, group: groupKey, alerts: alerts.slice(0, 5), count: alerts.length };
}
