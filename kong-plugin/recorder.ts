// Takes observations, and brings them to one sidecar: each flush interval what has ended is sealed and sent, one batch at a
// time, the same bytes until a receipt. While that does not succeed, new observations stay with the producer.
// What the sidecar can never take (a final fault of its own) is set aside: counted, said aloud, and not sent again.
// Spools that dead plugin servers left are adopted and sent in the same way.
import type { Pool } from 'undici';
import { backOffMs } from './back-off';
import type { Fault } from './contract/fault';
import { HEARTBEAT_MS } from './contract/heartbeat';
import { DeliveryLog } from './delivery-log';
import type { Observation } from './observation';
import type { PluginLog } from './plugin-log';
import { createPool, postBatch } from './post-batch';
import { ProcessWatch } from './process-watch';
import { Producer, type Left } from './producer';
import type { DeliverySettings } from './read-settings';
import type { SealedBatch } from './seal-batches';
import type { SentryCategory, SentryOutcome } from './sentry/sentry-outcome';
import { steadyNowMs } from './steady-now';
import { readSpool } from './spool/read-spool';
import { SpoolFolder, type FoundSpool } from './spool/spool-folder';

/** At the end there is no time for a back-off: a sidecar that is restarted at the same moment is tried again soon. */
const LAST_RETRY_MS = 200;

/** How often spools of dead plugin servers are looked for, and one that could not be written is tried again. */
const SPOOL_CARE_MS = 5_000;

export class Recorder {
  readonly #folder: SpoolFolder;
  readonly #own: Producer;
  #adopted: Producer[] = [];
  readonly #pool: Pool;
  readonly #deliveryLog: DeliveryLog;
  readonly #log: PluginLog;
  readonly #watch = new ProcessWatch();
  #settings: DeliverySettings;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #caredAtMs = Number.NEGATIVE_INFINITY;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #endWait: (() => void) | undefined;
  #delivered: Promise<void> | undefined;
  readonly #end = new AbortController();
  /** Observations so far. */
  events = 0;
  /** Who has something to observe needs another recorder. */
  hasLeft = false;

  /** Starts at once, with a batch of nothing: a plugin that was just enabled shows up before its first request. */
  constructor(settings: DeliverySettings, log: PluginLog, workerRestarts = 0) {
    this.#settings = settings;
    this.#log = log;
    this.#folder = new SpoolFolder(settings.spoolDirectory, settings.address);
    this.#own = Producer.begin(this.#folder, log, workerRestarts);
    this.#deliveryLog = new DeliveryLog(log);
    this.#pool = createPool(settings.address);
    this.#schedule(0);
  }

  /** Newer settings for the same address and spool: they hold from the next try on. */
  configure(settings: DeliverySettings): void {
    this.#settings = settings;
  }

  observe(observation: Observation): void {
    this.events += 1;
    this.#own.observe(observation, steadyNowMs());
  }

  /**
   * What became of so many error events or transactions; told with the next batch. A plugin server that is killed loses what it has
   * not told: these counts are in its spool only from one checkpoint to the next.
   */
  countSentry(category: SentryCategory, outcome: SentryOutcome, count: number): void {
    this.#own.countSentry(category, outcome, count);
  }

  /**
   * Sends everything there is, the current second and what comes meanwhile too, within the shutdown timeout. Called again,
   * it gives the same promise. What comes later is still taken, and spooled, until `leave`.
   */
  deliverRest(): Promise<void> {
    this.#delivered ??= this.#deliverRest();
    return this.#delivered;
  }

  /** The last thing: leaves what is not delivered in the spool. Nothing may be observed afterwards. */
  leave(): Left[] {
    this.hasLeft = true;
    const left = this.#producers.map((producer) => producer.leave());
    this.#folder.release();
    this.#watch.stop();
    return left;
  }

  /** Requests that have no receipt yet. */
  get undeliveredRequests(): number {
    return this.#producers.reduce((sum, producer) => sum + producer.undeliveredRequests, 0);
  }

  get #producers(): Producer[] {
    return [this.#own, ...this.#adopted];
  }

  async #deliverRest(): Promise<void> {
    clearTimeout(this.#timer);
    const deadline = setTimeout(() => {
      this.#end.abort();
      this.#endWait?.();
    }, this.#settings.shutdownTimeoutMs);
    this.#endWait?.();
    await this.#sending;
    do {
      this.#sealOwn(true);
      await this.#sendAll();
    } while (!this.#end.signal.aborted && this.#own.hasRest);
    if (!this.#end.signal.aborted) this.#own.sealGoodbye();
    await this.#sendAll();
    clearTimeout(deadline);
    await this.#pool.destroy();
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => this.#tick(), delayMs).unref();
  }

  #tick(): void {
    this.#schedule(this.#settings.flushIntervalMs);
    for (const producer of this.#producers) producer.care(steadyNowMs());
    if (performance.now() - this.#caredAtMs >= SPOOL_CARE_MS) this.#careForSpools();
    if (this.#sending) return;
    this.#sending = this.#sealAndSend().finally(() => (this.#sending = undefined));
  }

  /** Until nothing is left that has ended: what waits for long is sealed in parts. */
  async #sealAndSend(): Promise<void> {
    do {
      this.#sealOwn(false);
      await this.#sendAll();
    } while (!this.#delivered && this.#own.hasIntervals(steadyNowMs()));
  }

  /** Nothing to tell gives nothing, unless a sign of life is due. */
  #sealOwn(unended: boolean): void {
    const nowMs = steadyNowMs();
    const heartbeatDue = performance.now() - this.#sentAtMs >= HEARTBEAT_MS;
    if (heartbeatDue || (unended ? this.#own.hasRest : this.#own.hasIntervals(nowMs))) {
      this.#own.seal(nowMs, unended, this.#watch.read(this.#own.undeliveredRequests));
    }
  }

  /** Sends what is sealed, in order, until all has its receipt or the time of the end is over. */
  async #sendAll(): Promise<void> {
    let failures = 0;
    for (;;) {
      const producer = this.#producers.find(({ head }) => head);
      const batch = producer?.head;
      if (!producer || !batch || this.#end.signal.aborted) return;
      const result = await postBatch(this.#pool, this.#settings, batch, steadyNowMs(), this.#end.signal);
      this.#sentAtMs = performance.now();
      if (result.kind === 'failed') {
        failures += 1;
        this.#own.countFailedSend();
        this.#deliveryLog.failed(result.reason, this.undeliveredRequests, performance.now());
        await this.#wait(backOffMs(failures, Math.random(), result.retryAfterMs));
        continue;
      }
      failures = 0;
      this.#deliveryLog.succeeded();
      if (result.kind === 'refused') this.#setAside(producer, batch, result.fault);
      else producer.settle();
      if (producer !== this.#own) this.#endAdopted(producer, result);
    }
  }

  #setAside(producer: Producer, batch: SealedBatch, fault: Fault): void {
    if (producer !== this.#own) producer.settle();
    this.#own.countRefused(batch);
    this.#log('error', 'the sidecar refused a batch for good; its requests are not counted', {
      ...fault,
      sequence: batch.sequence,
      requests: batch.requests,
      keptAs: this.#folder.keepRefused(batch),
    });
  }

  #endAdopted(producer: Producer, result: { readonly kind: string; readonly fault?: Fault }): void {
    // Other batches came under its numbers, so its spool was older than its end: what follows may have been counted.
    const isStale = result.fault?.fault === 'sequence_conflict';
    while (isStale && producer.head) {
      const { head } = producer;
      producer.settle();
      this.#own.countRefused(head);
    }
    if (producer.head) return;
    if (!producer.hasSealedGoodbye) {
      producer.sealGoodbye();
      return;
    }
    producer.leave();
    this.#adopted = this.#adopted.filter((other) => other !== producer);
  }

  #careForSpools(): void {
    this.#caredAtMs = performance.now();
    for (const producer of this.#producers) producer.spoolAgain();
    if (!this.#own.isSpooled) return;
    this.#folder.adopt().then(
      (found) => found.forEach((spool) => this.#adopt(spool)),
      (error: unknown) =>
        this.#log('error', 'spools of dead plugin servers cannot be looked for', {
          folder: this.#folder.path,
          reason: error instanceof Error ? error.message : String(error),
        }),
    );
  }

  #adopt(found: FoundSpool): void {
    // At the end it is left to whoever comes next.
    if (this.#delivered) return;
    const { path, bytes } = found;
    try {
      if (!Buffer.isBuffer(bytes)) throw bytes;
      // Its owner had delivered everything, and could only empty it.
      if (bytes.length === 0) {
        this.#folder.discard(found);
        return;
      }
      const read = readSpool(bytes);
      const keptAs = read.unreadBytes === 0 ? undefined : this.#folder.copyAside(found);
      const producer = Producer.resume(read, this.#folder, this.#log, steadyNowMs());
      this.#adopted.push(producer);
      const requests = producer.undeliveredRequests;
      this.#log('info', 'a spool that another plugin server left is adopted', { path, requests });
      if (read.unreadBytes === 0) return;
      this.#own.countDamagedSpool();
      this.#log('warn', 'an adopted spool ends in bytes that cannot be read', {
        keptAs,
        unreadBytes: read.unreadBytes,
      });
    } catch (error) {
      this.#own.countDamagedSpool();
      this.#log(
        'error',
        'a spool that another plugin server left cannot be read; its requests are not counted',
        {
          keptAs: this.#folder.setAside(found),
          reason: error instanceof Error ? error.message : String(error),
        },
      );
    }
  }

  #wait(delayMs: number): Promise<void> {
    if (this.#end.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#delivered ? Math.min(delayMs, LAST_RETRY_MS) : delayMs).unref();
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
