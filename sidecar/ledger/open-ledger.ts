// Opens a store, reads it whole, and finds out whether it is what was written.
import { OtherVersion } from './ledger-record';
import type { LedgerState } from './ledger-state';
import { LedgerStore } from './ledger-store';
import { readLedger } from './read-ledger';
import { StoreFault, StoreInUse, damaged, ofOtherVersion, reasonOf } from './store-fault';

/** How long a start waits for a process that holds the store, ms: longer than a sidecar takes to stop. */
export const OPEN_WAIT_MS = 5_000;

/** Between two tries to get a store that another process holds. */
const RETRY_MS = 100;

export interface OpenLedger {
  readonly store: LedgerStore;
  readonly state: LedgerState;
}

/**
 * The store and what is in it, up to the transaction that the mark tells of at least.
 *
 * @param waitMs how long to wait, blocking, for another process that may be about to end: a sidecar that stops, or the check
 *   of one that was killed
 * @throws StoreFault
 */
export function openLedger(directory: string, waitMs: number): OpenLedger {
  const opened = openStore(directory, waitMs);
  try {
    compareWithMark(opened);
    return opened;
  } catch (error) {
    opened.store.close().catch(() => undefined);
    throw error;
  }
}

/** The same, whatever the mark tells. */
export function openStore(directory: string, waitMs: number): OpenLedger {
  const deadlineMs = performance.now() + waitMs;
  for (;;) {
    const store = new LedgerStore(directory);
    try {
      return { store, state: read(store) };
    } catch (error) {
      store.close().catch(() => undefined);
      if (!(error instanceof StoreInUse) || performance.now() >= deadlineMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function compareWithMark({ store, state }: OpenLedger): void {
  const marked = store.mark.read();
  if (marked === undefined) {
    throw new StoreFault(
      `${store.mark.path} is damaged: expected the number of a transaction. The ledger beside it can be read and ends ` +
        `with transaction ${state.transaction}; remove ${store.mark.path} to go on from there`,
    );
  }
  if (marked > state.transaction) {
    throw damaged(
      store.path,
      store.directory,
      `it ends with transaction ${state.transaction}, but ${store.mark.path} says that transaction ${marked} was written. ` +
        `If this is an older copy that you put here, remove ${store.mark.path}`,
    );
  }
}

function read(store: LedgerStore): LedgerState {
  try {
    return readLedger(store.readAll());
  } catch (error) {
    if (error instanceof StoreFault) throw error;
    if (error instanceof OtherVersion) throw ofOtherVersion(store.path, store.directory, error.version);
    throw damaged(store.path, store.directory, reasonOf(error));
  }
}
