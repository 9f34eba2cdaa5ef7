// Alerting with a real memory in a directory of its own, a clock of the test's and channels without a network, that is stopped,
// killed and started again as the test says. Traffic comes in, rounds are run, and what the channels were told is kept in short.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delta } from '../../kong-plugin/contract/delta';
import type { Alert } from '../../sidecar/alert/alert';
import { Alerting } from '../../sidecar/alerting';
import type { Config } from '../../sidecar/config/config';
import type { KongFacts } from '../../sidecar/kong/kong-facts';
import { MemoryStore, type OpenMemory } from '../../sidecar/memory/memory-store';
import type { Notification } from '../../sidecar/notify/notification';
import { captureLog } from './captured-log';
import { brief } from './engine-run';
import { ManualClock, settle } from './manual-clock';
import { ScriptedChannel } from './scripted-channel';

const NO_KONG: KongFacts = { instances: [], observed: () => undefined };

/** By the clock that people have. */
export const RUN_START_MS = Date.parse('2026-03-02T10:00:00Z');

/** After so long, what became of a delivery is on disk. */
export const WRITTEN_AFTER_MS = 100;

export class AlertingRun {
  readonly directory = mkdtempSync(join(tmpdir(), 'gatewatch-alerting-'));
  readonly log = captureLog();
  readonly channels = new Map<string, ScriptedChannel>();
  readonly faults: unknown[] = [];
  kong: KongFacts = NO_KONG;
  /** Those that are alive whenever it starts. */
  producers: readonly string[] = ['producer-1'];
  config: Config;
  clock: ManualClock;
  alerting: Alerting;
  /** Settles whatever is committed from now on in this way. */
  commits: 'as they are' | 'fail' | 'are the last that is done' = 'as they are';
  #memory: OpenMemory;
  /** What the ledger knows: of the last delivery, by the clock that people have. */
  #lastBatchMs = 0;

  constructor(config: Config, startMs = RUN_START_MS) {
    this.config = config;
    this.clock = new ManualClock(startMs);
    [this.#memory, this.alerting] = this.#open();
  }

  /** A channel by its name; made when it is first asked for. */
  channel(name: string): ScriptedChannel {
    const channel = this.channels.get(name) ?? new ScriptedChannel(name);
    this.channels.set(name, channel);
    return channel;
  }

  /** All that was tried, in short: `fired errors shop critical`. */
  told(name = 'slack'): string[] {
    return this.channel(name).tries.flatMap(briefOf);
  }

  get memory(): OpenMemory {
    return this.#memory;
  }

  get windows(): Alerting['engine']['windows'] {
    return this.alerting.engine.windows;
  }

  /** A batch of the first producer, which does not say whether it has delivered all that it had. */
  deliver(deltas: readonly Delta[]): void {
    const nowMs = this.alerting.clock.nowMs();
    this.#lastBatchMs = this.clock.nowMs();
    this.windows.add(nowMs, deltas, nowMs);
    this.windows.known.received({ producer: 'producer-1', beforeMs: undefined, isHeartbeat: false }, nowMs);
  }

  /** One round now, and all that follows from it. */
  async round(): Promise<void> {
    this.alerting.round(this.alerting.clock.nowMs());
    await this.settled();
  }

  /** So many ms with this traffic in each step, and a round near its end. */
  async run(forMs: number, deltas: readonly Delta[] = [], stepMs = 5_000): Promise<void> {
    for (let passedMs = 0; passedMs < forMs; passedMs += stepMs) {
      await this.clock.advanceAndSettle(stepMs - WRITTEN_AFTER_MS);
      this.deliver(deltas);
      await this.round();
      await this.written();
    }
  }

  /** A little later: what became of deliveries is on disk too. */
  async written(): Promise<void> {
    await this.clock.advanceAndSettle(WRITTEN_AFTER_MS);
    await this.settled();
  }

  /** Until everything that a round or a deed has led to is on disk, and has been sent. No time passes. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) {
      await this.#memory.store.commit().catch(() => undefined);
      await settle();
    }
  }

  /** As at SIGTERM. @param waitMs how long what is on its way gets */
  async stop(waitMs = 0): Promise<void> {
    const drained = this.alerting.drain(waitMs);
    await settle();
    await this.clock.advanceAndSettle(waitMs);
    await drained;
    await this.alerting.close();
  }

  /** As at SIGKILL: nothing more is written or sent. */
  async kill(): Promise<void> {
    await this.#memory.store.close();
  }

  /**
   * A new process.
   *
   * @param downMs how long there was none
   * @param setMs by how much the system's clock was set meanwhile
   */
  start({ downMs = 0, setMs = 0, config = this.config } = {}): void {
    this.config = config;
    this.clock = new ManualClock(this.clock.nowMs() + downMs + setMs);
    this.commits = 'as they are';
    [this.#memory, this.alerting] = this.#open();
  }

  reconfigure(config: Config): void {
    this.config = config;
    this.alerting.reconfigure(config, this.#channels());
  }

  alert(rule: string): Alert | undefined {
    return this.alerting.alerts().find((alert) => alert.rule.name === rule);
  }

  async end(): Promise<void> {
    await this.#memory.store.close().catch(() => undefined);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #open(): [OpenMemory, Alerting] {
    const { clock, config, log } = this;
    const memory = MemoryStore.open(this.directory, clock);
    const alerting = new Alerting({
      config,
      channels: this.#channels(),
      kong: () => this.kong,
      memory: { ...memory, store: this.#spoiled(memory.store) },
      producersAliveAt: () => this.producers,
      lastBatchMs: this.#lastBatchMs,
      clock,
      logger: log.logger,
      onFault: (error) => this.faults.push(error),
    });
    return [memory, alerting];
  }

  #channels(): ScriptedChannel[] {
    return this.config.channels.map(({ name }) => this.channel(name));
  }

  /** The same store, but that its commits end as the test says. */
  #spoiled(store: MemoryStore): MemoryStore {
    const commit: MemoryStore['commit'] = async (changes) => {
      if (this.commits === 'fail') throw new Error('ENOSPC');
      await store.commit(changes);
      if (this.commits === 'are the last that is done') await new Promise(() => undefined);
    };
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'commit') return commit;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

export function briefOf(notification: Notification): string[] {
  return notification.items.map((item) => brief(notification.channel, item).replace(/^\S+ /, ''));
}
