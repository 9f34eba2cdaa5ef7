/**
 * The candidate stores behind one small face: open, write a transaction durably, read everything, close.
 * In: a candidate's name and a directory. Out: a `Store` whose `write` resolves once the bytes are flushed.
 * classic-level is no dependency of the project; without it its candidates are left out, and the report says so.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { open } from 'lmdb';
import type { RootDatabaseOptionsWithPath } from 'lmdb';
import type { Transaction } from './ledger-workload';

export interface Store {
  write(transaction: Transaction): Promise<void>;
  readAll(onEntry: (key: Uint8Array, value: Uint8Array) => void): Promise<void>;
  close(): Promise<void>;
}

type Operation = { type: 'put'; key: Buffer; value: Buffer } | { type: 'del'; key: Buffer };

/** The part of classic-level's face that is used here. */
interface ClassicLevel {
  open(): Promise<void>;
  batch(operations: Operation[], options: { sync: boolean }): Promise<void>;
  iterator(): AsyncIterable<[Uint8Array, Uint8Array]>;
  close(): Promise<void>;
}
interface ClassicLevelModule {
  ClassicLevel: new (path: string, options: object) => ClassicLevel;
}

export const candidateNames = [
  'lmdb',
  'lmdb-nooverlap',
  'lmdb-nooverlap-lz4',
  'lmdb-nooverlap-8k',
  'lmdb-nooverlap-16k',
  'level',
  'level-nocompress',
] as const;
export type CandidateName = (typeof candidateNames)[number];

const lmdbOptions: Partial<Record<CandidateName, Partial<RootDatabaseOptionsWithPath>>> = {
  lmdb: {},
  'lmdb-nooverlap': { overlappingSync: false },
  'lmdb-nooverlap-lz4': { overlappingSync: false, compression: { threshold: 200 } },
  'lmdb-nooverlap-8k': { overlappingSync: false, pageSize: 8_192 },
  'lmdb-nooverlap-16k': { overlappingSync: false, pageSize: 16_384 },
};

/** classic-level if it can be found from here, else undefined. */
function findClassicLevel(): ClassicLevelModule | undefined {
  try {
    return createRequire(__filename)('classic-level') as ClassicLevelModule;
  } catch {
    return undefined;
  }
}

/** Says why a candidate cannot run here, or undefined where it can. */
export function whyMissing(name: CandidateName): string | undefined {
  if (!name.startsWith('level') || findClassicLevel() !== undefined) return undefined;
  return 'classic-level is not installed: npm install --no-save classic-level to compare';
}

/** Opens a candidate in a directory. Throws what the store throws, or `whyMissing`'s sentence. */
export async function openCandidate(name: CandidateName, directory: string): Promise<Store> {
  const options = lmdbOptions[name];
  return options === undefined ? openLevel(name, directory) : openLmdb(options, directory);
}

function openLmdb(options: Partial<RootDatabaseOptionsWithPath>, directory: string): Store {
  const overlaps = options.overlappingSync !== false;
  const database = open<Buffer, Buffer>({
    path: join(directory, 'ledger.mdb'),
    encoding: 'binary',
    keyEncoding: 'binary',
    ...options,
  });
  return {
    async write({ puts, deletes }) {
      const committed = database.batch(() => {
        for (const { key, value } of puts) void database.put(key, value);
        for (const key of deletes) void database.remove(key);
      });
      await committed;
      // With overlappingSync the commit is visible first and flushed later.
      if (overlaps) await database.flushed;
    },
    readAll(onEntry) {
      for (const { key, value } of database.getRange()) onEntry(key, value);
      return Promise.resolve();
    },
    close: () => database.close(),
  };
}

async function openLevel(name: CandidateName, directory: string): Promise<Store> {
  const found = findClassicLevel();
  if (found === undefined) throw new Error(whyMissing(name));
  const database = new found.ClassicLevel(join(directory, 'level'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: name !== 'level-nocompress',
  });
  await database.open();
  return {
    write({ puts, deletes }) {
      const operations: Operation[] = puts.map(({ key, value }) => ({ type: 'put', key, value }));
      for (const key of deletes) operations.push({ type: 'del', key });
      return database.batch(operations, { sync: true });
    },
    async readAll(onEntry) {
      for await (const [key, value] of database.iterator()) onEntry(key, value);
    },
    close: () => database.close(),
  };
}
