// In: notifications. Out: each of them through every channel, once. The queues are in memory in this version: a restart
// forgets what was not sent yet, except what `drain` still delivers. A durable outbox will take their place.
// Every channel has a queue of its own (see channel-queue.ts), so one that hangs or refuses never delays another.
// Channels are known by name. At a reload a channel that keeps its name keeps its queue and counters, whatever else changed;
// a removed one drops its queue, counted, and its counters stay.
import type { Logger } from 'pino';
import type { Clock } from '../clock';
import type { Channel } from './channel';
import { ChannelQueue, type ChannelCounts } from './channel-queue';
import type { Notification } from './notification';

/** What the metrics and the status page tell of one channel. */
export interface ChannelStatus {
  readonly name: string;
  readonly type: string;
  readonly queued: number;
  readonly counts: Readonly<ChannelCounts>;
  /** Why the latest try was not sent; `undefined` once one was. Without secrets. */
  readonly lastProblem: string | undefined;
}

export interface DispatcherParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 to 1; spreads repeated tries. */
  readonly random: () => number;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #queues = new Map<string, ChannelQueue>();
  readonly #countsOf = new Map<string, ChannelCounts>();
  #withoutChannel = 0;

  constructor(parts: DispatcherParts, channels: readonly Channel[]) {
    this.#parts = parts;
    this.reconfigure(channels);
  }

  /** For a reload. Names must be unique. */
  reconfigure(channels: readonly Channel[]): void {
    const names = new Set(channels.map(({ name }) => name));
    for (const [name, queue] of this.#queues) {
      if (names.has(name)) continue;
      queue.close('the channel was removed from the configuration');
      this.#queues.delete(name);
    }
    for (const channel of channels) {
      const queue = this.#queues.get(channel.name);
      if (queue) queue.replaceChannel(channel);
      else this.#queues.set(channel.name, this.#newQueue(channel));
    }
  }

  /** Takes notifications in the order in which they are to arrive. Never throws. */
  dispatch(notifications: readonly Notification[]): void {
    for (const notification of notifications) {
      for (const queue of this.#queues.values()) queue.add(notification);
      if (this.#queues.size > 0) continue;
      this.#withoutChannel += 1;
      const { rule, service, status } = notification;
      this.#parts.logger.warn(
        { rule: rule.name, service, status },
        'no channel is configured: nobody is told',
      );
    }
  }

  /** Notifications that nobody was told of, since no channel was configured. */
  get withoutChannel(): number {
    return this.#withoutChannel;
  }

  /** The configured channels. */
  status(): ChannelStatus[] {
    return [...this.#queues].map(([name, queue]) => ({
      name,
      type: queue.channel.type,
      queued: queue.length,
      counts: { ...this.#countsFor(name) },
      lastProblem: queue.lastProblem,
    }));
  }

  /** Counters by channel name, those of removed channels included, so that none ever goes back. */
  counts(): ReadonlyMap<string, Readonly<ChannelCounts>> {
    return this.#countsOf;
  }

  /**
   * For the end of the process: tries everything once more at once and waits until all queues are empty, at most `timeoutMs`.
   * What is then left is dropped, counted and logged; so is what comes later.
   */
  async drain(timeoutMs: number): Promise<void> {
    const queues = [...this.#queues.values()];
    for (const queue of queues) queue.retryNow();
    let cancelTimer = (): void => undefined;
    const timeout = new Promise<void>((resolve) => {
      cancelTimer = this.#parts.clock.after(timeoutMs, resolve);
    });
    await Promise.race([timeout, Promise.all(queues.map((queue) => queue.whenEmpty()))]);
    cancelTimer();
    for (const queue of queues) queue.close('the sidecar stops');
  }

  #newQueue(channel: Channel): ChannelQueue {
    return new ChannelQueue(channel, { ...this.#parts, counts: this.#countsFor(channel.name) });
  }

  #countsFor(name: string): ChannelCounts {
    let counts = this.#countsOf.get(name);
    if (!counts) {
      counts = { sent: 0, retried: 0, refused: 0, expired: 0, dropped: 0 };
      this.#countsOf.set(name, counts);
    }
    return counts;
  }
}
