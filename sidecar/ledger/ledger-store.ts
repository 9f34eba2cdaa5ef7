// The store on disk: one lmdb environment in the data directory. The only file that knows lmdb.
// A transaction's promise resolves once its bytes are flushed (no overlapping sync), so a receipt may follow it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import type { StoredRecord } from './ledger-record';

/** The store's one file in the data directory. */
export const STORE_FILE_NAME = 'ledger.mdb';

export interface StoreTransaction {
  readonly puts: readonly StoredRecord[];
  readonly deletes: readonly Buffer[];
}

/** The store cannot be used as it is; the message is for the operator. */
export class StoreFault extends Error {}

export class LedgerStore {
  readonly path: string;
  readonly #database: RootDatabase<Buffer, Buffer>;

  /**
   * Makes the directory and the file where they do not exist.
   *
   * A damaged file may end the process (SIGBUS, SIGABRT): see check-store.ts, which finds out in a child.
   *
   * @throws StoreFault
   */
  constructor(directory: string) {
    this.path = join(directory, STORE_FILE_NAME);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      this.#database = open<Buffer, Buffer>({
        path: this.path,
        encoding: 'binary',
        keyEncoding: 'binary',
        overlappingSync: false,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreFault(`the ledger at ${this.path} cannot be opened: ${reason}`);
    }
  }

  *readAll(): Generator<StoredRecord> {
    for (const { key, value } of this.#database.getRange()) yield { key, value };
  }

  /** All or nothing; resolves when it is on disk. */
  async commit({ puts, deletes }: StoreTransaction): Promise<void> {
    await this.#database.transaction(() => {
      for (const { key, value } of puts) this.#database.putSync(key, value);
      for (const key of deletes) this.#database.removeSync(key);
    });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
