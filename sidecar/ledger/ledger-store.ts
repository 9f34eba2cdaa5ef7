// The store on disk: one lmdb environment in the data directory, and the mark beside it.
// A transaction's promise resolves once its bytes are flushed (no overlapping sync), so a receipt may follow it.
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import {
  LMDB_OPTIONS,
  deviceOf,
  flushDirectory,
  prepareLmdbFile,
  whyCommitFailed,
} from '../memory/lmdb-file';
import { LedgerMark } from './ledger-mark';
import { META_KEY, type StoredRecord } from './ledger-record';
import { StoreFault, StoreInUse, reasonOf } from './store-fault';

/** The store's file in the data directory. */
export const STORE_FILE_NAME = 'ledger.mdb';
const LOCK_FILE_NAME = `${STORE_FILE_NAME}-lock`;
const MARK_FILE_NAME = 'ledger.mark';

/** lmdb's MDB_READERS_FULL. */
const READERS_FULL = -30790;
/** EINVAL, before anything was read: another process of the same number, in another container, has the place for readers. */
const NO_READER = 22;

export interface StoreTransaction {
  readonly puts: readonly StoredRecord[];
  readonly deletes: readonly Buffer[];
}

/**
 * What is found under the store's paths: the files that were opened; the store without its lock or mark; the store, shorter
 * than it was; no store; no store, and another file system where it was; another store.
 */
export type StorePlace = 'same' | 'stripped' | 'cut' | 'missing' | 'unmounted' | 'other';

export class LedgerStore {
  readonly path: string;
  readonly mark: LedgerMark;
  readonly #database: RootDatabase<Buffer, Buffer>;
  /** Of the store, its lock and its mark. */
  readonly #identities: readonly (string | undefined)[];
  readonly #device: number;
  /** lmdb never makes it smaller. To touch what was cut off would end the process. */
  #bytes = 0;
  /** As it was read or committed last: of another one, somebody else wrote into the file. */
  #meta: Buffer | undefined;
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
    let mark: LedgerMark | undefined;
    try {
      const made = prepareLmdbFile(this.path);
      mark = new LedgerMark(join(directory, MARK_FILE_NAME));
      this.#database = open<Buffer, Buffer>({ path: this.path, ...LMDB_OPTIONS });
      flushDirectory(directory);
      if (made !== undefined) flushDirectory(dirname(made));
    } catch (error) {
      mark?.close();
      throw new StoreFault(
        `the ledger at ${this.path} cannot be opened: ${reasonOf(error)}. The directory must be one that the ` +
          `sidecar's user (id ${process.getuid?.() ?? 'unknown'}) may write to, on a file system that is not ` +
          'read-only and has room',
      );
    }
    this.mark = mark;
    this.#identities = this.#findFiles().identities;
    this.#device = statSync(directory).dev;
  }

  /** @throws StoreInUse */
  *readAll(): Generator<StoredRecord> {
    let hasRead = false;
    try {
      for (const { key, value } of this.#database.getRange()) {
        hasRead = true;
        if (META_KEY.equals(key)) this.#meta = Buffer.from(value);
        yield { key, value };
      }
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === READERS_FULL || (code === NO_READER && !hasRead)) throw new StoreInUse(this.path);
      throw error;
    }
  }

  /** All or nothing; resolves when it is on disk. */
  async commit({ puts, deletes }: StoreTransaction): Promise<void> {
    try {
      await this.#database.transaction(() => {
        const meta = this.#database.get(META_KEY);
        // Nothing was put yet, so nothing is committed.
        if (!(this.#meta ? meta?.equals(this.#meta) : meta === undefined)) {
          throw new StoreFault(`something else wrote into ${this.path} while the sidecar ran`);
        }
        for (const { key, value } of puts) this.#database.putSync(key, value);
        for (const key of deletes) this.#database.removeSync(key);
      });
      this.#meta = puts.find(({ key }) => META_KEY.equals(key))?.value ?? this.#meta;
    } catch (error) {
      if (error instanceof StoreFault) throw error;
      throw await whyCommitFailed(error, this.directory);
    }
  }

  /** A file that was deleted or exchanged can still be written through what is open of it, and is gone at the next start. */
  place(): StorePlace {
    const { identities, bytes } = this.#findFiles();
    if (identities[0] === undefined)
      return deviceOf(this.directory) === this.#device ? 'missing' : 'unmounted';
    if (identities[0] !== this.#identities[0]) return 'other';
    if (bytes < this.#bytes) return 'cut';
    this.#bytes = bytes;
    return identities.join() === this.#identities.join() ? 'same' : 'stripped';
  }

  close(): Promise<void> {
    this.mark.close();
    return (this.#closed ??= this.#database.close());
  }

  #findFiles(): { identities: (string | undefined)[]; bytes: number } {
    const found = [STORE_FILE_NAME, LOCK_FILE_NAME, MARK_FILE_NAME].map((name) =>
      statSync(join(this.directory, name), { throwIfNoEntry: false }),
    );
    return { identities: found.map((file) => file && `${file.dev}:${file.ino}`), bytes: found[0]?.size ?? 0 };
  }
}
