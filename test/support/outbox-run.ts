// An outbox with a clock of the test's, and a map for its disk, that is killed and started again as the test says.
// As in the sidecar, what is posted is written before it is released, and every end is written some time later.
import type { Channel } from '../../sidecar/channel/channel';
import { encodeRecord, valueOf } from '../../sidecar/memory/memory-record';
import type { Letter } from '../../sidecar/notify/letter';
import { Outbox, type OutboxEnd } from '../../sidecar/outbox/outbox';
import type { Try } from '../../sidecar/outbox/channel-queue';
import { hangs } from './answering-channel';
import { captureLog } from './captured-log';
import { ManualClock, settle } from './manual-clock';
import { SAMPLE_STARTED_MS } from './sample-notification';

export class OutboxRun {
  readonly disk = new Map<string, unknown>();
  readonly log = captureLog();
  /** Of all processes. */
  readonly ends: OutboxEnd[] = [];
  readonly tries: Try[] = [];
  /** What restarts could not read. */
  unreadable = 0;
  clock: ManualClock;
  outbox: Outbox;
  /** 0 to 1. */
  random: () => number = () => 0;
  onEnd: (end: OutboxEnd) => void = () => undefined;
  #channels: readonly Channel[];
  #lastWritten = 0;
  #process = 0;

  constructor(channels: readonly Channel[], startMs = SAMPLE_STARTED_MS) {
    this.#channels = channels;
    this.clock = new ManualClock(startMs);
    this.outbox = this.#open();
  }

  /** `sent a`: how each letter ended, and on which channel. */
  endings(): string[] {
    return this.ends.map(
      ({ how, letter, next }) => `${how} ${letter.channel}${next ? `, then ${next}` : ''}`,
    );
  }

  /** Puts what changed on the disk, as bytes and back. */
  write(): void {
    this.#lastWritten = this.outbox.lastPosted;
    const { puts, deletes } = this.outbox.takeDirty();
    for (const { key, value } of puts) this.disk.set(key, valueOf(encodeRecord(key, value)));
    for (const key of deletes) this.disk.delete(key);
  }

  /** Sends what is on the disk. */
  release(): void {
    this.outbox.release(this.#lastWritten);
  }

  /** All of it at once, and whatever can be said to it without time passing. */
  async send(...letters: readonly Letter[]): Promise<void> {
    this.outbox.post(letters);
    await this.written();
  }

  async written(): Promise<void> {
    this.write();
    this.release();
    await settle();
  }

  /** Time passes, and what ends in it is written and goes on every so often. */
  async advance(byMs: number, everyMs = 60_000): Promise<void> {
    for (let leftMs = byMs; leftMs > 0; leftMs -= everyMs) {
      await this.clock.advanceAndSettle(Math.min(everyMs, leftMs));
      await this.written();
    }
  }

  /** The process is gone, with all that is not on the disk, and another one has begun. */
  restart({
    downMs = 0,
    channels = this.#channels,
  }: { downMs?: number; channels?: readonly Channel[] } = {}): void {
    this.#channels = channels;
    this.clock = new ManualClock(this.clock.nowMs() + downMs);
    this.#lastWritten = 0;
    this.#process += 1;
    this.outbox = this.#open();
    const own = (prefix: string): [string, unknown][] =>
      [...this.disk]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]): [string, unknown] => [key.slice(prefix.length), value])
        .sort(([a], [b]) => (a < b ? -1 : 1));
    this.unreadable += this.outbox.restore(own, []).unreadable;
    this.outbox.release();
  }

  reconfigure(channels: readonly Channel[]): void {
    this.#channels = channels;
    this.outbox.reconfigure(this.#connected());
  }

  /** Keys on the disk under a prefix. */
  kept(prefix: string): string[] {
    return [...this.disk.keys()].filter((key) => key.startsWith(prefix));
  }

  #open(): Outbox {
    const isAlive = this.#isAlive();
    return new Outbox(
      {
        clock: this.clock,
        logger: this.log.logger,
        random: () => this.random(),
        onTry: (made) => {
          if (isAlive()) this.tries.push(made);
        },
        onEnd: (end) => {
          if (!isAlive()) return;
          this.ends.push(end);
          this.onEnd(end);
        },
      },
      this.#connected(),
    );
  }

  /** What a killed process still does nobody hears of. */
  #connected(): Channel[] {
    const isAlive = this.#isAlive();
    return this.#channels.map((channel): Channel => {
      const { name, type, delivery } = channel;
      const send: Channel['send'] = (letter, thread) => (isAlive() ? channel.send(letter, thread) : hangs());
      const sendChange: Channel['sendChange'] = (change) =>
        isAlive() && channel.sendChange ? channel.sendChange(change) : hangs();
      return { name, type, delivery, send, ...(channel.sendChange && { sendChange }) };
    });
  }

  #isAlive(): () => boolean {
    const ownProcess = this.#process;
    return () => ownProcess === this.#process;
  }
}
