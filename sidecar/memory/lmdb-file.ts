// One lmdb file, opened so that what is wrong with it is an error and not the end of the process. In: keys and values as bytes;
// a key is at most 511 of them. Out: they again, in the order of their keys. A commit resolves once its bytes are flushed.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

/** More than what lmdb writes when it makes a file. */
const NEW_FILE_BYTES = 32 * 1024;

export const LMDB_OPTIONS = {
  encoding: 'binary',
  keyEncoding: 'binary',
  overlappingSync: false,
  // With batching, a failed commit rejects a promise that nobody can catch, and that would end the process.
  eventTurnBatching: false,
  // lmdb lets many processes in; its one place for readers, held from the first read to the end, lets in one. The kernel gives
  // the place back when the process dies.
  maxReaders: 1,
} as const;

/** lmdb's MDB_READERS_FULL. */
const READERS_FULL = -30790;
/** EINVAL, before anything was read: another process of the same number, in another container, has the place for readers. */
const NO_READER = 22;

/** How long an opening waits for a process that holds the file and may be about to end, ms. */
export const OPEN_WAIT_MS = 5_000;
/** Between two tries. */
const RETRY_MS = 100;

/** Another process holds the file. */
export class FileInUse extends Error {
  constructor(path: string) {
    super(`${path} is in use by another process`);
  }
}

/** The pages of the file are not what lmdb writes. */
export class DamagedFile extends Error {}

export interface FileRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface FileTransaction {
  readonly puts: Iterable<FileRecord>;
  readonly deletes: Iterable<Buffer>;
}

/**
 * What is found under the path: the file that was opened; it, shorter than it was; no file; no file, and another file system
 * where it was; another file.
 */
export type FilePlace = 'same' | 'cut' | 'missing' | 'unmounted' | 'other';

export class LmdbFile {
  readonly #database: RootDatabase<Buffer, Buffer>;
  readonly #identity: string | undefined;
  readonly #device: number;
  /** lmdb never makes it smaller. To touch what was cut off would end the process. */
  #bytes = 0;
  #closed: Promise<void> | undefined;

  /**
   * Makes the directory and the file where they do not exist.
   *
   * A damaged file may end the process (SIGBUS, SIGABRT): see check-memory.ts, which finds out in a child.
   *
   * @throws FileInUse, DamagedFile, or what the system says
   */
  constructor(readonly path: string) {
    const directory = dirname(path);
    const made = prepareLmdbFile(path);
    try {
      this.#database = open<Buffer, Buffer>({ path, ...LMDB_OPTIONS });
    } catch (error) {
      throw asFileError(path, error, false);
    }
    try {
      // Takes the place for readers.
      Array.from(this.#read({ limit: 1 }));
      flushDirectory(directory);
      if (made !== undefined) flushDirectory(dirname(made));
      this.#identity = identityOf(path);
      this.#device = statSync(directory).dev;
      this.#bytes = statSync(path).size;
    } catch (error) {
      this.close().catch(() => undefined);
      throw error;
    }
  }

  /** So many bytes it had when it was looked at last. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws DamagedFile, or what the system says */
  *readAll(): Generator<FileRecord> {
    let last: Buffer | undefined;
    for (const record of this.#read()) {
      if (last && Buffer.compare(last, record.key) >= 0) {
        throw new DamagedFile(`${basename(this.path)} has keys that are not in order`);
      }
      last = Buffer.from(record.key);
      yield record;
    }
  }

  /** All or nothing; resolves when it is on disk. @throws what lmdb or the system says */
  async commit({ puts, deletes }: FileTransaction): Promise<void> {
    try {
      await this.#database.transaction(() => {
        for (const { key, value } of puts) this.#database.putSync(key, value);
        for (const key of deletes) this.#database.removeSync(key);
      });
    } catch (error) {
      throw await whyCommitFailed(error, dirname(this.path));
    }
  }

  /** A file that was deleted or exchanged can still be written through what is open of it, and is gone at the next start. */
  place(): FilePlace {
    const found = statSync(this.path, { throwIfNoEntry: false });
    if (!found) return deviceOf(dirname(this.path)) === this.#device ? 'missing' : 'unmounted';
    if (identityOf(this.path) !== this.#identity) return 'other';
    if (found.size < this.#bytes) return 'cut';
    this.#bytes = found.size;
    return 'same';
  }

  /** Whether this very file is under the path, as far as can be told once it is closed. */
  isInPlace(): boolean {
    return identityOf(this.path) === this.#identity;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#database.close());
  }

  *#read(options: { readonly limit?: number } = {}): Generator<FileRecord> {
    let hasRead = false;
    try {
      for (const { key, value } of this.#database.getRange(options)) {
        hasRead = true;
        yield { key, value };
      }
    } catch (error) {
      throw asFileError(this.path, error, !hasRead);
    }
  }
}

/**
 * @param waitMs how long to wait, blocking, for another process that may be about to end
 * @throws as the constructor of LmdbFile
 */
export function openLmdbFile(path: string, waitMs: number): LmdbFile {
  const deadlineMs = performance.now() + waitMs;
  for (;;) {
    try {
      return new LmdbFile(path);
    } catch (error) {
      if (!(error instanceof FileInUse) || performance.now() >= deadlineMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/**
 * What an open needs is made and tried before: one that fails may end the process in lmdb.
 *
 * @returns the topmost directory that was made
 * @throws what the system says
 */
export function prepareLmdbFile(path: string): string | undefined {
  const made = makeDirectory(dirname(path));
  allocateLock(`${path}-lock`);
  tryOut(path);
  return made;
}

/** @param error what a transaction was rejected with */
export async function whyCommitFailed(error: unknown, directory: string): Promise<unknown> {
  // lmdb says that the commit failed, and why in a promise of its own.
  const reason = (error as { commitError?: Promise<never> }).commitError;
  const because: unknown = reason ? await reason.catch((told: unknown) => told) : error;
  // Where only a part of a write had room, lmdb says that of an input/output error.
  if (statfsSync(directory).bavail > 0) return because;
  return new Error(`No space left on device, under ${directory}. Make room`, { cause: because });
}

/** A new or renamed file is only there after a power cut if its directory was flushed too. @throws what the system says */
export function flushDirectory(directory: string): void {
  const file = openSync(directory, 'r');
  try {
    fsyncSync(file);
  } catch (error) {
    // A file system that has no such thing.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    closeSync(file);
  }
}

/** @returns the topmost directory that was made */
function makeDirectory(directory: string): string | undefined {
  if (existsSync(directory)) return undefined;
  try {
    mkdirSync(directory, { mode: 0o700 });
    return directory;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Only where one above it is missing: it says so of a file system that is read-only too.
    return mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
}

/** lmdb maps its lock before it has room for it: on a full disk the first use of it would end the process. */
function allocateLock(path: string): void {
  const file = openSync(path, 'a');
  try {
    // One byte takes a whole block, and lmdb makes the file as long as it needs it.
    if (statSync(path).size === 0) writeSync(file, '\0');
  } finally {
    closeSync(file);
  }
}

/** That the file can be read and written, or that there is room for a new one. */
function tryOut(path: string): void {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  if (bytes !== undefined) {
    const file = openSync(path, 'r+');
    try {
      readSync(file, Buffer.alloc(NEW_FILE_BYTES), 0, NEW_FILE_BYTES, 0);
    } finally {
      closeSync(file);
    }
  }
  if (bytes === undefined || bytes === 0) {
    const trial = `${path}.trial`;
    try {
      writeFileSync(trial, Buffer.alloc(NEW_FILE_BYTES));
    } finally {
      rmSync(trial, { force: true });
    }
  }
}

function asFileError(path: string, error: unknown, isFirstRead: boolean): unknown {
  const { code } = error as { code?: unknown };
  if (code === READERS_FULL || (code === NO_READER && isFirstRead)) return new FileInUse(path);
  // The system's errors are positive. lmdb's are negative, and what its JavaScript stumbles over has none.
  if (typeof code === 'number' && code > 0) return error;
  return new DamagedFile(error instanceof Error ? error.message : String(error));
}

function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

/** Of the directory, or of the nearest one above it that exists. */
export function deviceOf(directory: string): number {
  return statSync(directory, { throwIfNoEntry: false })?.dev ?? deviceOf(dirname(directory));
}
