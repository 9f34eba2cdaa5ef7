// In: letters. Out: each of them through its channel, and how that ended. What waits is written down by the outbox, and is given here
// again at the next start.
// Every channel has a queue of its own (see channel-queue.ts), so one that hangs or refuses never delays another.
// Channels are known by name. At a reload a channel that keeps its name keeps its queue and counters, whatever else changed;
// a removed one drops its queue, counted, and its counters stay.
import type { Channel } from '../channel/channel';
import { ChannelQueue, fieldsOf, type Arrival, type ChannelCounts, type QueueParts } from './channel-queue';

/** What the metrics and the status page tell of one channel. */
export interface ChannelStatus {
  readonly name: string;
  readonly type: string;
  readonly queued: number;
  readonly counts: Readonly<ChannelCounts>;
  /** Why the latest try was not sent; `undefined` once one was. Without secrets. */
  readonly lastProblem: string | undefined;
}

export class Dispatcher {
  readonly #parts: QueueParts;
  readonly #queues = new Map<string, ChannelQueue>();
  readonly #countsOf = new Map<string, ChannelCounts>();

  constructor(parts: QueueParts, channels: readonly Channel[]) {
    this.#parts = parts;
    this.reconfigure(channels);
  }

  /** For a reload. Names must be unique. */
  reconfigure(channels: readonly Channel[]): void {
    const names = new Set(channels.map(({ name }) => name));
    const removed = [...this.#queues].filter(([name]) => !names.has(name));
    for (const [name] of removed) this.#queues.delete(name);
    for (const channel of channels) {
      const queue = this.#queues.get(channel.name);
      if (queue) queue.replaceChannel(channel);
      else this.#queues.set(channel.name, this.#newQueue(channel));
    }
    // Last: their fallbacks may be new.
    for (const [, queue] of removed) queue.close('the channel was removed from the configuration');
  }

  /** `undefined` where there is none of this name. */
  channel(name: string): Channel | undefined {
    return this.#queues.get(name)?.channel;
  }

  /** In the order in which they must reach each channel. What is for one that there is not ends as dropped. */
  dispatch(arrivals: readonly Arrival[]): void {
    const byChannel = new Map<string, Arrival[]>();
    for (const arrival of arrivals) {
      const { channel } = arrival.letter;
      const own = byChannel.get(channel);
      if (own) own.push(arrival);
      else byChannel.set(channel, [arrival]);
    }
    for (const [channel, own] of byChannel) {
      const queue = this.#queues.get(channel);
      if (queue) queue.add(own);
      else for (const arrival of own) this.#drop(arrival);
    }
  }

  #drop({ letter, sinceMs }: Arrival): void {
    const reason = 'there is no such channel';
    this.#countsFor(letter.channel).dropped += 1;
    this.#parts.logger.error({ ...fieldsOf(letter), reason }, 'notification dropped');
    const tookMs = Math.max(0, this.#parts.clock.nowMs() - sinceMs);
    this.#parts.onEnd({ letter, how: 'dropped', reason, failures: 0, tookMs, fallback: undefined });
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
   * What is then left is sent after the next start, from what was written down.
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
    for (const queue of queues) queue.interrupt();
  }

  #newQueue(channel: Channel): ChannelQueue {
    return new ChannelQueue(channel, this.#countsFor(channel.name), this.#parts);
  }

  #countsFor(name: string): ChannelCounts {
    let counts = this.#countsOf.get(name);
    if (!counts) {
      counts = { sent: 0, retried: 0, refused: 0, expired: 0, dropped: 0, replaced: 0 };
      this.#countsOf.set(name, counts);
    }
    return counts;
  }
}
