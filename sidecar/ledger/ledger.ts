// The ledger: one batch after the other, each counted exactly once. A receipt follows the flush of its transaction.
import { createHash } from 'node:crypto';
import type { Batch, Interval } from '../../kong-plugin/contract/batch';
import type { Receipt } from '../../kong-plugin/contract/receipt';
import type { LedgerState } from './ledger-state';
import { LedgerStore, StoreFault } from './ledger-store';
import { absorb, planTransaction } from './plan-transaction';
import { readLedger } from './read-ledger';

export type Applied =
  | {
      readonly result: 'applied';
      readonly receipt: Receipt;
      /** With every series as the ledger counts it. */
      readonly intervals: readonly Interval[];
      readonly foldedRequests: number;
      /** Batches between the producer's last one and this one that never came. */
      readonly missingBatches: number;
    }
  | { readonly result: 'duplicate'; readonly receipt: Receipt }
  /** The same sequence came before with other bytes. */
  | { readonly result: 'conflict' };

/** A batch could not be made durable; nothing of it was counted. */
export class NotDurable extends Error {}

export class Ledger {
  #store: LedgerStore;
  #state: LedgerState;
  #turn: Promise<unknown> = Promise.resolve();
  #fault: Error | undefined;

  private constructor(
    private readonly directory: string,
    store: LedgerStore,
  ) {
    this.#store = store;
    this.#state = readFrom(store);
  }

  /** @throws StoreFault */
  static open(directory: string): Ledger {
    return new Ledger(directory, new LedgerStore(directory));
  }

  /** What is on disk. Read only. */
  get state(): Readonly<LedgerState> {
    return this.#state;
  }

  /** Why batches cannot be made durable at the moment. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /**
   * Counts a batch once, however often it comes.
   *
   * @param bytes the batch as it was sealed
   * @param nowMs Unix ms
   * @throws NotDurable
   */
  apply(batch: Batch, bytes: Uint8Array, nowMs: number, seriesCap: number): Promise<Applied> {
    const digest = createHash('sha256').update(bytes).digest('hex');
    const applied = this.#turn.then(() => this.#applyNext(batch, digest, nowMs, seriesCap));
    this.#turn = applied.catch(() => undefined);
    return applied;
  }

  /** Waits for the batch in work, then closes the store. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#store.close();
  }

  async #applyNext(batch: Batch, digest: string, nowMs: number, seriesCap: number): Promise<Applied> {
    if (this.#fault) await this.#reopen();
    const { producer, sequence } = batch;
    const last = this.#state.producers.get(producer);
    if (last && sequence <= last.sequence) {
      if (sequence === last.sequence && digest !== last.digest) return { result: 'conflict' };
      return { result: 'duplicate', receipt: { producer, sequence, result: 'duplicate' } };
    }
    const planned = planTransaction(this.#state, batch, digest, nowMs, seriesCap);
    try {
      await this.#store.commit(planned.store);
    } catch (error) {
      this.#fault = error instanceof Error ? error : new Error(String(error));
      throw new NotDurable(`the ledger could not be written: ${this.#fault.message}`);
    }
    absorb(this.#state, planned);
    return {
      result: 'applied',
      receipt: { producer, sequence, result: 'applied' },
      intervals: planned.intervals,
      foldedRequests: planned.foldedRequests,
      missingBatches: last ? sequence - last.sequence - 1 : 0,
    };
  }

  /** After a failed commit only the disk knows what was written: reads it again. */
  async #reopen(): Promise<void> {
    try {
      await this.#store.close();
      const store = new LedgerStore(this.directory);
      this.#state = readFrom(store);
      this.#store = store;
      this.#fault = undefined;
    } catch (error) {
      this.#fault = error instanceof Error ? error : new Error(String(error));
      throw new NotDurable(`the ledger could not be opened again: ${this.#fault.message}`);
    }
  }
}

function readFrom(store: LedgerStore): LedgerState {
  try {
    return readLedger(store.readAll());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreFault(
      `the ledger at ${store.path} is damaged: ${reason}. ` +
        'Restore it from a copy, or move it away to begin with empty series',
    );
  }
}
