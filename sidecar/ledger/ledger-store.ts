// The store on disk: one lmdb environment in the data directory, and the mark beside it. The only file that knows lmdb.
// A transaction's promise resolves once its bytes are flushed (no overlapping sync), so a receipt may follow it.
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { LedgerMark } from './ledger-mark';
import type { StoredRecord } from './ledger-record';
import { StoreFault, StoreInUse, reasonOf } from './store-fault';

/** The store's file in the data directory. */
export const STORE_FILE_NAME = 'ledger.mdb';
const LOCK_FILE_NAME = `${STORE_FILE_NAME}-lock`;
const MARK_FILE_NAME = 'ledger.mark';

/** lmdb's MDB_READERS_FULL. */
const READERS_FULL = -30790;

export interface StoreTransaction {
  readonly puts: readonly StoredRecord[];
  readonly deletes: readonly Buffer[];
}

/**
 * What is found under the store's paths: the files that were opened; the store without its lock or mark; no store; no store,
 * and another file system where it was; another store.
 */
export type StorePlace = 'same' | 'stripped' | 'missing' | 'unmounted' | 'other';

export class LedgerStore {
  readonly path: string;
  readonly mark: LedgerMark;
  readonly #database: RootDatabase<Buffer, Buffer>;
  /** Of the store, its lock and its mark. */
  readonly #identities: readonly (string | undefined)[];
  readonly #device: number;
  #closed: Promise<void> | undefined;

  /**
   * Makes the directory and the files where they do not exist.
   *
   * A damaged file may end the process (SIGBUS, SIGABRT): see check-store.ts, which finds out in a child.
   *
   * @throws StoreFault
   */
  constructor(readonly directory: string) {
    this.path = join(directory, STORE_FILE_NAME);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      this.#database = open<Buffer, Buffer>({
        path: this.path,
        encoding: 'binary',
        keyEncoding: 'binary',
        overlappingSync: false,
        // With batching, a failed commit rejects a promise that nobody can catch, and that would end the process.
        eventTurnBatching: false,
        // lmdb lets many processes in; its one place for readers, held from the first read to the end, lets in one. The
        // kernel gives the place back when the process dies.
        maxReaders: 1,
      });
      this.mark = new LedgerMark(join(directory, MARK_FILE_NAME));
    } catch (error) {
      throw new StoreFault(
        `the ledger at ${this.path} cannot be opened: ${reasonOf(error)}. The directory must be one that the ` +
          `sidecar's user (id ${process.getuid?.() ?? 'unknown'}) may write to, on a file system that is not ` +
          'read-only and has room',
      );
    }
    this.#identities = this.#findFiles();
    this.#device = statSync(directory).dev;
  }

  /** @throws StoreInUse */
  *readAll(): Generator<StoredRecord> {
    try {
      for (const { key, value } of this.#database.getRange()) yield { key, value };
    } catch (error) {
      if ((error as { code?: unknown }).code === READERS_FULL) throw new StoreInUse(this.path);
      throw error;
    }
  }

  /** All or nothing; resolves when it is on disk. */
  async commit({ puts, deletes }: StoreTransaction): Promise<void> {
    try {
      await this.#database.transaction(() => {
        for (const { key, value } of puts) this.#database.putSync(key, value);
        for (const key of deletes) this.#database.removeSync(key);
      });
    } catch (error) {
      // lmdb says that the commit failed, and why in a promise of its own.
      const reason = (error as { commitError?: Promise<never> }).commitError;
      throw reason ? await reason.catch((because: unknown) => because) : error;
    }
  }

  /** A file that was deleted or exchanged can still be written through what is open of it, and is gone at the next start. */
  place(): StorePlace {
    const found = this.#findFiles();
    if (found[0] === undefined) return deviceOf(this.directory) === this.#device ? 'missing' : 'unmounted';
    if (found[0] !== this.#identities[0]) return 'other';
    return found.join() === this.#identities.join() ? 'same' : 'stripped';
  }

  close(): Promise<void> {
    this.mark.close();
    return (this.#closed ??= this.#database.close());
  }

  #findFiles(): (string | undefined)[] {
    return [STORE_FILE_NAME, LOCK_FILE_NAME, MARK_FILE_NAME].map((name) => {
      const found = statSync(join(this.directory, name), { throwIfNoEntry: false });
      return found && `${found.dev}:${found.ino}`;
    });
  }
}

/** Of the directory, or of the nearest one above it that exists. */
function deviceOf(directory: string): number {
  return statSync(directory, { throwIfNoEntry: false })?.dev ?? deviceOf(dirname(directory));
}
