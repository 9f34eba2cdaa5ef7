// One producer: what it observed and has no receipt for, in memory and in its spool alike. Its batches are numbered, and
// sealed once. A producer whose process died goes on as it was in the process that adopts its spool.
import { randomUUID } from 'node:crypto';
import { Accumulator } from './accumulator';
import type { ProcessFigures } from './contract/batch';
import type { Observation } from './observation';
import type { PluginLog } from './plugin-log';
import { sealBatches, sealGoodbye, type SealedBatch } from './seal-batches';
import type { SentryCategory, SentryOutcome } from './sentry/sentry-outcome';
import type { ReadSpool } from './spool/read-spool';
import type { CheckpointState } from './spool/spool-checkpoint';
import { SpoolFile } from './spool/spool-file';
import type { SpoolFolder } from './spool/spool-folder';

/** What a producer could not deliver. */
export interface Left {
  readonly requests: number;
  /** In the spool; otherwise it is lost. */
  readonly isKept: boolean;
}

export class Producer {
  readonly id: string;
  readonly #accumulator: Accumulator;
  readonly #spool: SpoolFile;
  #sealed: SealedBatch[];
  #nextSequence: number;
  #state: CheckpointState;
  #hasSealedGoodbye = false;

  private constructor(
    { checkpoint }: Pick<ReadSpool, 'checkpoint'>,
    state: CheckpointState,
    folder: SpoolFolder,
    log: PluginLog,
  ) {
    this.id = checkpoint.producer;
    this.#accumulator = Accumulator.holding(checkpoint.pending);
    this.#sealed = [...checkpoint.sealed];
    this.#nextSequence = checkpoint.nextSequence;
    this.#state = state;
    this.#spool = new SpoolFile(folder, this.id, log);
  }

  /** A new one, of this process, whose host has started its worker again so often. */
  static begin(folder: SpoolFolder, log: PluginLog, workerRestarts = 0): Producer {
    const checkpoint = {
      producer: randomUUID(),
      nextSequence: 1,
      sealed: [],
      pending: new Accumulator().held(),
      state: 'owned',
    } as const;
    const producer = new Producer({ checkpoint }, 'owned', folder, log);
    producer.#accumulator.countWorkerRestarts(workerRestarts);
    producer.#checkpoint();
    return producer;
  }

  /** One whose process died: its batches as they are, then the rest as its last one, which counts the death. */
  static resume(read: ReadSpool, folder: SpoolFolder, log: PluginLog, nowMs: number): Producer {
    const producer = new Producer(read, 'adopted', folder, log);
    if (read.checkpoint.state === 'owned') producer.#accumulator.countDeath();
    do producer.seal(nowMs, true, null);
    while (producer.#accumulator.pendingIntervals > 0);
    return producer;
  }

  /** @param nowMs Unix ms at which it came */
  observe(observation: Observation, nowMs: number): void {
    const series = this.#accumulator.add(observation, nowMs);
    if (!this.#spool.appendObservation(observation, series, nowMs)) this.#accumulator.countUnspooled();
  }

  countSentry(category: SentryCategory, outcome: SentryOutcome, count: number): void {
    this.#accumulator.countSentry(category, outcome, count);
  }

  countFailedSend(): void {
    this.#accumulator.countFailedSend();
  }

  /** The sidecar will never take a batch, the head or another producer's: it is settled and counted in one step. */
  countRefused(batch: SealedBatch): void {
    if (this.head === batch) this.#sealed.shift();
    this.#accumulator.countRefused(batch.requests);
    this.#checkpoint();
  }

  countDamagedSpool(): void {
    this.#accumulator.countDamagedSpool();
  }

  /** Whether something that has ended waits that no batch has. */
  hasIntervals(nowMs: number): boolean {
    return this.#accumulator.hasIntervals(nowMs);
  }

  /** Whether something waits that no batch has. */
  get hasRest(): boolean {
    return this.#accumulator.hasStatistics || this.#accumulator.pendingIntervals > 0;
  }

  /** Seals what has ended, or with `unended` everything, up to a bound; a batch of nothing where there is nothing. */
  seal(nowMs: number, unended: boolean, process: ProcessFigures | null): void {
    const taken = this.#accumulator.take(nowMs, unended);
    this.#append(sealBatches(taken, this.id, this.#nextSequence, process));
  }

  /** Once everything has its receipt; nothing depends on its arrival. */
  sealGoodbye(): void {
    this.#hasSealedGoodbye = true;
    this.#append([sealGoodbye(this.id, this.#nextSequence)]);
  }

  get hasSealedGoodbye(): boolean {
    return this.#hasSealedGoodbye;
  }

  /** The batch to send next. */
  get head(): SealedBatch | undefined {
    return this.#sealed[0];
  }

  /** The head has its receipt, or will never have one. */
  settle(): void {
    const batch = this.#sealed.shift();
    if (batch) this.#spool.appendSettled(batch.sequence);
  }

  /** Requests that have no receipt yet. */
  get undeliveredRequests(): number {
    return this.#sealed.reduce((sum, { requests }) => sum + requests, this.#accumulator.pendingRequests);
  }

  get isSpooled(): boolean {
    return this.#spool.isWritten;
  }

  /** Keeps memory and spool within their bounds, and the spool on disk. Call it about once a second. */
  care(nowMs: number): void {
    this.#accumulator.coarsen(nowMs);
    if (this.#spool.isLong) this.#checkpoint();
    this.#spool.flush();
  }

  /** Tries again to write the spool where that failed. */
  spoolAgain(): void {
    if (!this.#spool.isWritten) this.#checkpoint();
  }

  /** Ends in order: once its goodbye is delivered there is no spool; the rest is left to whoever comes next. */
  leave(): Left {
    const { undeliveredRequests: requests } = this;
    if (this.#hasSealedGoodbye && !this.head && !this.hasRest) {
      this.#spool.remove();
      return { requests, isKept: true };
    }
    if (this.#state === 'owned') this.#state = 'left';
    this.#checkpoint();
    const isKept = this.#spool.isWritten;
    this.#spool.close();
    return { requests, isKept };
  }

  #append(sealed: readonly SealedBatch[]): void {
    this.#nextSequence += sealed.length;
    this.#sealed.push(...sealed);
    this.#checkpoint();
  }

  #checkpoint(): void {
    this.#spool.checkpoint({
      producer: this.id,
      nextSequence: this.#nextSequence,
      sealed: this.#sealed,
      pending: this.#accumulator.held(),
      state: this.#state,
    });
  }
}
