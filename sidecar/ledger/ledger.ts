// The ledger: one batch after the other, each counted exactly once. A receipt follows the flush of its transaction.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Batch, Interval } from '../../kong-plugin/contract/batch';
import type { Receipt } from '../../kong-plugin/contract/receipt';
import { encodeMeta, metaOf } from './ledger-record';
import type { LedgerState } from './ledger-state';
import type { LedgerStore, StorePlace, StoreTransaction } from './ledger-store';
import { OPEN_WAIT_MS, openLedger, openStore, type OpenLedger } from './open-ledger';
import { absorb, planTransaction, staysExact } from './plan-transaction';
import { StoreFault, reasonOf } from './store-fault';
import { proofOf, wholeOf } from './whole-transaction';

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
  | { readonly result: 'conflict' }
  /** A later one came before, and this is none of those that are known to be counted. */
  | { readonly result: 'late'; readonly lastSequence: number }
  /** A sum would pass 2^53, and no longer be exact. */
  | { readonly result: 'overflow' };

/** A batch could not be made durable; nothing of it was counted. */
export class NotDurable extends Error {}

export class Ledger {
  #store: LedgerStore;
  #state: LedgerState;
  #turn: Promise<unknown> = Promise.resolve();
  #fault: Error | undefined;
  #lastFault: Error | undefined;
  #faults = 0;
  #failedCommits = 0;
  /** The store's file was deleted or cut off: what it held is written again from memory. */
  #isGone = false;
  /** Where the monotonic clock would have stood when the store was new, had one sidecar run all the time. */
  #runningSinceMs: number | undefined;
  /** Ends with a batch of which only the disk knows whether it was written. */
  #doubtful: StoreTransaction | undefined;

  private constructor(
    private readonly directory: string,
    { store, state }: OpenLedger,
  ) {
    this.#store = store;
    this.#state = state;
  }

  /** @throws StoreFault */
  static open(directory: string): Ledger {
    return new Ledger(directory, openLedger(directory, OPEN_WAIT_MS));
  }

  /** What is on disk. Read only. */
  get state(): Readonly<LedgerState> {
    return this.#state;
  }

  /** Why batches cannot be made durable at the moment. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** The last of them, even if it was mended. */
  get lastFault(): Error | undefined {
    return this.#lastFault;
  }

  /** How often something began to keep batches from being made durable, since the start. */
  get faults(): number {
    return this.#faults;
  }

  /** Batches since the start that could not be made durable when they came. */
  get failedCommits(): number {
    return this.#failedCommits;
  }

  /**
   * Counts a batch once, however often it comes.
   *
   * @param bytes the batch as it was sealed
   * @param nowMs Unix ms
   * @param monotonicMs the same moment on a clock that nobody sets, whatever it began at: how long a series or producer is
   *   silent is measured by it, so that nothing leaves the ledger for a time that never passed
   * @throws NotDurable
   */
  apply(
    batch: Batch,
    bytes: Uint8Array,
    nowMs: number,
    seriesCap: number,
    monotonicMs = nowMs,
  ): Promise<Applied> {
    const digest = createHash('sha256').update(bytes).digest('hex');
    return this.#next(() => this.#applyNext(batch, digest, nowMs, seriesCap, monotonicMs));
  }

  /** Finds out whether the store is still in its place, and mends what can be mended. `fault` tells what came of it. */
  inspect(): Promise<void> {
    return this.#next(async () => {
      try {
        if (!this.#fault) this.#set(this.#faultOfPlace(this.#store.place()));
      } catch (error) {
        this.#set(asError(error));
      }
      if (this.#fault) await this.#mend();
    });
  }

  /** Waits for the batch in work, then closes the store. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#store.close();
  }

  #next<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #applyNext(
    batch: Batch,
    digest: string,
    nowMs: number,
    seriesCap: number,
    monotonicMs: number,
  ): Promise<Applied> {
    if (this.#fault) await this.#mend();
    if (this.#fault) throw this.#notDurable();
    const { producer, sequence } = batch;
    const last = this.#state.producers.get(producer);
    if (last && sequence <= last.sequence) {
      // With a receipt its producer would drop it, and a gap may be where it belongs.
      const counted = last.recent.find((batch) => batch.sequence === sequence);
      if (!counted) return { result: 'late', lastSequence: last.sequence };
      if (digest !== counted.digest) return { result: 'conflict' };
      return { result: 'duplicate', receipt: { producer, sequence, result: 'duplicate' } };
    }
    const planned = planTransaction(
      this.#state,
      batch,
      digest,
      nowMs,
      seriesCap,
      this.#runningMs(monotonicMs),
    );
    if (!staysExact(this.#state, planned)) return { result: 'overflow' };
    const fault = await this.#commit(planned.store, planned.transaction);
    this.#set(fault);
    if (fault) {
      this.#doubtful = planned.store;
      throw this.#notDurable();
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

  /** What earlier sidecars ran, and this one since its first batch: no clock is asked how long none was there. */
  #runningMs(monotonicMs: number): number {
    this.#runningSinceMs ??= monotonicMs - this.#state.runningMs;
    return Math.max(this.#state.runningMs, Math.floor(monotonicMs - this.#runningSinceMs));
  }

  #notDurable(): NotDurable {
    this.#failedCommits += 1;
    return new NotDurable(`the ledger cannot be written: ${this.#fault?.message}`);
  }

  /** Why the transaction may not be on disk, in the files that the next start will read; `undefined` if it is. */
  async #commit(transaction: StoreTransaction, number: number): Promise<Error | undefined> {
    try {
      // Before it, since what was cut off must not be touched; after it, since a file that was deleted takes everything.
      let fault = this.#faultOfPlace(this.#store.place());
      if (fault) return fault;
      await this.#store.commit(transaction);
      fault = this.#faultOfPlace(this.#store.place());
      if (!fault) this.#store.mark.write(number);
      return fault;
    } catch (error) {
      return asError(error);
    }
  }

  #faultOfPlace(place: StorePlace): StoreFault | undefined {
    const { path } = this.#store;
    if (place === 'missing' || place === 'cut') this.#isGone = true;
    switch (place) {
      case 'same':
        return undefined;
      case 'stripped':
        return new StoreFault(
          `the lock or the mark of ${path} was deleted or exchanged while the sidecar ran`,
        );
      case 'cut':
        return new StoreFault(`${path} was cut off while the sidecar ran; it is written again from memory`);
      case 'missing':
        return new StoreFault(`${path} was deleted while the sidecar ran; it is written again from memory`);
      case 'unmounted':
        return new StoreFault(`${path} is gone, and its file system with it. Mount it again`);
      case 'other':
        return new StoreFault(
          `${path} was exchanged for another file while the sidecar ran. Put it back, or restart the sidecar to go on ` +
            'with what is there now',
        );
    }
  }

  /**
   * After a failed commit only the disk knows what was written: reads it again, and proves that it can be written. The proof
   * also replaces what a failed flush may have left in memory that only looks like a disk.
   */
  async #mend(): Promise<void> {
    try {
      // Before the store is closed: afterwards another file may get its number.
      const place = this.#store.place();
      const fault = this.#faultOfPlace(place);
      if (place === 'unmounted' || place === 'other') {
        this.#set(fault);
        return;
      }
      await this.#store.close();
      if (place === 'cut') rmSync(this.#store.path, { force: true });
      // What is gone is behind the mark, and is not missed.
      const { store, state } = this.#isGone ? openStore(this.directory, 0) : openLedger(this.directory, 0);
      this.#store = store;
      const isLost = this.#isGone && state.transaction === 0;
      if (!isLost && !this.#isOwn(state)) {
        this.#set(
          new StoreFault(
            `${store.path} does not hold what the sidecar wrote: something else wrote into it while the sidecar ran. Put ` +
              'back what was there, or restart the sidecar to go on with what is there now',
          ),
        );
        return;
      }
      if (!isLost) this.#state = state;
      this.#set(await this.#commit(isLost ? wholeOf(this.#state) : proofOf(state), this.#state.transaction));
      if (!this.#fault) this.#isGone = false;
    } catch (error) {
      this.#set(asError(error));
    }
  }

  #set(fault: Error | undefined): void {
    if (fault && !this.#fault) this.#faults += 1;
    this.#fault = fault;
    this.#lastFault = fault ?? this.#lastFault;
  }

  /** Whether a state is the one in memory, or that with the batch whose commit failed. */
  #isOwn(state: LedgerState): boolean {
    const { key, value } = encodeMeta(metaOf(state));
    const doubtful = this.#doubtful?.puts.find((put) => put.key.equals(key));
    return [encodeMeta(metaOf(this.#state)), doubtful].some((own) => own?.value.equals(value));
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(reasonOf(error));
}
