// Takes observations, and brings them to one sidecar: each flush interval what has ended is sealed and sent, one batch at a
// time, the same bytes until a receipt. While that does not succeed, new observations stay with the accumulator.
// What the sidecar can never take (a final fault of its own) is set aside: counted, said aloud, and not sent again.
import { randomUUID } from 'node:crypto';
import type { Pool } from 'undici';
import { Accumulator } from './accumulator';
import { backOffMs } from './back-off';
import type { Fault } from './contract/fault';
import { DeliveryLog } from './delivery-log';
import type { Observation } from './observation';
import type { PluginLog } from './plugin-log';
import { createPool, postBatch } from './post-batch';
import type { DeliverySettings } from './read-settings';
import { sealBatches, type SealedBatch } from './seal-batches';

/** With nothing to tell, a batch of nothing is sent this often, so that an idle gateway does not look dead. */
const HEARTBEAT_MS = 10_000;

/** At the end there is no time for a back-off: a sidecar that is restarted at the same moment is tried again soon. */
const LAST_RETRY_MS = 200;

export class Recorder {
  readonly #producer = randomUUID();
  readonly #accumulator = new Accumulator();
  readonly #pool: Pool;
  readonly #deliveryLog: DeliveryLog;
  readonly #log: PluginLog;
  #settings: DeliverySettings;
  #sealed: SealedBatch[] = [];
  #nextSequence = 1;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #endWait: (() => void) | undefined;
  #closed: Promise<number> | undefined;
  readonly #end = new AbortController();

  /** Starts at once, with a batch of nothing: a plugin that was just enabled shows up before its first request. */
  constructor(settings: DeliverySettings, log: PluginLog) {
    this.#settings = settings;
    this.#log = log;
    this.#deliveryLog = new DeliveryLog(log);
    this.#pool = createPool(settings.address);
    this.#schedule(0);
  }

  /** Newer settings for the same address: they hold from the next try on. */
  configure(settings: DeliverySettings): void {
    this.#settings = settings;
  }

  observe(observation: Observation): void {
    this.#accumulator.add(observation, Date.now());
  }

  /**
   * Sends everything there is, the current second and what comes meanwhile too, and then nothing more. Called again, it
   * gives the same promise.
   *
   * @returns how many requests could not be delivered in time
   */
  close(): Promise<number> {
    this.#closed ??= this.#deliverRest();
    return this.#closed;
  }

  /** Requests that have no receipt yet. */
  get undeliveredRequests(): number {
    return this.#accumulator.pendingRequests + this.#sealed.reduce((sum, { requests }) => sum + requests, 0);
  }

  async #deliverRest(): Promise<number> {
    clearTimeout(this.#timer);
    const deadline = setTimeout(() => {
      this.#end.abort();
      this.#endWait?.();
    }, this.#settings.shutdownTimeoutMs);
    this.#endWait?.();
    await this.#sending;
    do {
      this.#sealed.push(...this.#seal(true));
      await this.#sendAll();
    } while (!this.#end.signal.aborted && this.#accumulator.hasIntervals(Date.now(), true));
    clearTimeout(deadline);
    await this.#pool.destroy();
    return this.undeliveredRequests;
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => this.#tick(), delayMs).unref();
  }

  #tick(): void {
    this.#schedule(this.#settings.flushIntervalMs);
    this.#accumulator.coarsen(Date.now());
    if (this.#sending) return;
    this.#sealed = this.#seal(false);
    this.#sending = this.#sendAll().finally(() => (this.#sending = undefined));
  }

  /** Nothing to tell gives nothing, unless a sign of life is due. */
  #seal(unended: boolean): SealedBatch[] {
    const nowMs = Date.now();
    const heartbeatDue = performance.now() - this.#sentAtMs >= HEARTBEAT_MS;
    if (!heartbeatDue && !this.#accumulator.hasIntervals(nowMs, unended)) return [];
    const sealed = sealBatches(this.#accumulator.take(nowMs, unended), this.#producer, this.#nextSequence);
    this.#nextSequence += sealed.length;
    return sealed;
  }

  /** Sends what is sealed, in order, until all has its receipt or the time of the end is over. */
  async #sendAll(): Promise<void> {
    let failures = 0;
    for (let batch = this.#sealed[0]; batch && !this.#end.signal.aborted; batch = this.#sealed[0]) {
      const result = await postBatch(this.#pool, this.#settings, batch, Date.now(), this.#end.signal);
      this.#sentAtMs = performance.now();
      if (result.kind === 'failed') {
        failures += 1;
        this.#accumulator.countFailedSend();
        this.#deliveryLog.failed(result.reason, this.undeliveredRequests, performance.now());
        await this.#wait(backOffMs(failures, Math.random(), result.retryAfterMs));
        continue;
      }
      failures = 0;
      this.#sealed.shift();
      this.#deliveryLog.succeeded();
      if (result.kind === 'refused') this.#setAside(batch, result.fault);
    }
  }

  #setAside(batch: SealedBatch, fault: Fault): void {
    this.#accumulator.countRefused(batch.requests);
    this.#log('error', 'the sidecar refused a batch for good; its requests are not counted', {
      ...fault,
      sequence: batch.sequence,
      requests: batch.requests,
    });
  }

  #wait(delayMs: number): Promise<void> {
    if (this.#end.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#closed ? Math.min(delayMs, LAST_RETRY_MS) : delayMs).unref();
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
