// Why the store cannot be used, in words for the operator: which file, what is wrong, what to do.
import { STORE_VERSION } from './ledger-record';

/** The store cannot be used as it is. */
export class StoreFault extends Error {}

/** Another process holds the store; it may be about to end. */
export class StoreInUse extends StoreFault {
  constructor(path: string) {
    super(
      `the ledger at ${path} is in use by another process: two sidecars cannot share a directory. ` +
        'Stop the other one, or give this one its own data_dir',
    );
  }
}

/** @param directory is moved as a whole, so that what belongs to the ledger stays together */
export function damaged(path: string, directory: string, reason: string): StoreFault {
  return new StoreFault(
    `the ledger at ${path} is damaged: ${reason}. Restore the whole directory ${directory} from a copy, ` +
      'or move it away to begin with empty series (Prometheus sees counters begin at 0)',
  );
}

/** Nothing is wrong with the store, and this release cannot read it. */
export function ofOtherVersion(path: string, directory: string, version: number): StoreFault {
  return new StoreFault(
    `the ledger at ${path} was written by another release: it has form ${version}, and this release reads form ` +
      `${STORE_VERSION}. Run the release that wrote it, or move the whole directory ${directory} away to begin with empty ` +
      'series (Prometheus sees counters begin at 0)',
  );
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
