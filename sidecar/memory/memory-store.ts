// The alerts' memory on disk: a record for each key, changed together in one durable transaction. In: what changed. Out: at the
// start, everything. It never ends the process and never refuses a change: while the disk does not take it, what is to be
// written waits here, `fault` says why, and the next commit tries all of it again. What waits is the last record of each key that
// changed; of one that is to be forgotten only its key.
import { join } from 'node:path';
import type { Clock } from '../clock';
import { OPEN_WAIT_MS, openLmdbFile, type LmdbFile } from './lmdb-file';
import type { MemoryChanges } from './memory-changes';
import { encodeRecord, placeOf } from './memory-record';
import { readMemory, readRecords, type MemoryContent } from './read-memory';
import { setAside } from './set-aside';

/** The file in the data directory. */
export const MEMORY_FILE_NAME = 'alerts.mdb';

/** Nothing to keep: a commit of it tries again what has failed. */
const NOTHING: MemoryChanges = { puts: [], deletes: [] };

export interface OpenMemory extends MemoryContent {
  readonly store: MemoryStore;
}

export class MemoryStore {
  readonly path: string;
  /** `undefined` while it cannot be opened. */
  #file: LmdbFile | undefined;
  /** The one that was open last, unless it was found to be gone or cut off. */
  #lastFile: LmdbFile | undefined;
  /** Key -> its record, or `undefined` where it is to be forgotten: what may not be on disk. */
  #waiting = new Map<string, Buffer | undefined>();
  #turn: Promise<unknown> = Promise.resolve();
  /** After a failed commit only the disk knows what was written. */
  #isDoubtful = false;
  #isClosed = false;
  #fault: Error | undefined;
  #lastFault: Error | undefined;
  #faults = 0;
  #failedCommits = 0;

  private constructor(
    directory: string,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {
    this.path = join(directory, MEMORY_FILE_NAME);
  }

  /**
   * Never throws: a memory that cannot be opened is empty, `fault` says why, and the first commit that can sets the file aside
   * and begins a new one. The data directory must be this process's own, and checkMemory must have looked at it.
   */
  static open(directory: string, clock: Pick<Clock, 'nowMs'>): OpenMemory {
    const store = new MemoryStore(directory, clock);
    let file: LmdbFile | undefined;
    try {
      file = openLmdbFile(store.path, OPEN_WAIT_MS);
      const content = readMemory(file.readAll());
      store.#use(file);
      return { store, ...content };
    } catch (error) {
      file?.close().catch(() => undefined);
      store.#fail(error);
      return { store, entries: new Map(), unreadable: 0 };
    }
  }

  /** Why changes cannot be made durable at the moment. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** The last of them, even if it was mended. */
  get lastFault(): Error | undefined {
    return this.#lastFault;
  }

  /** How often something began to keep changes from being made durable, since the start. */
  get faults(): number {
    return this.#faults;
  }

  /** Since the start. What was in them was tried again by the next one. */
  get failedCommits(): number {
    return this.#failedCommits;
  }

  /** Records that wait to be written. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** The size of the file when it was last looked at; 0 while it cannot be opened. */
  get bytes(): number {
    return this.#file?.bytes ?? 0;
  }

  /**
   * All or nothing, in the order of the calls; resolves when it, and everything before it, is on disk. One that is rejected is
   * written with the next one, whatever that holds. Values may be changed once the call has returned.
   *
   * @throws TypeError for what is no plain data: nothing of it is kept, now or later
   */
  async commit(changes: MemoryChanges = NOTHING): Promise<void> {
    const records = changes.puts.map(({ key, value }) => [key, encodeRecord(key, value)] as const);
    for (const [key, record] of records) this.#waiting.set(key, record);
    for (const key of changes.deletes) this.#waiting.set(key, undefined);
    const written = this.#turn.then(() => this.#write());
    this.#turn = written.catch(() => undefined);
    await written;
  }

  /** Waits for the commit in work, then closes the file. What still waits is lost with the process. */
  async close(): Promise<void> {
    await this.#turn;
    this.#isClosed = true;
    await this.#file?.close();
  }

  async #write(): Promise<void> {
    if (this.#isClosed) throw new Error(`${this.path} was closed`);
    // The turn before has taken it along.
    if (this.#waiting.size === 0 && !this.#fault) return;
    const records = this.#waiting;
    this.#waiting = new Map();
    try {
      const file = await this.#fileToWrite(records);
      this.#isDoubtful = true;
      await file.commit(transactionOf(records));
      // A file that was deleted meanwhile takes everything with it.
      if (file.place() !== 'same') throw new Error(`${this.path} was exchanged while it was written`);
      this.#isDoubtful = false;
      this.#fault = undefined;
    } catch (error) {
      // What came meanwhile is newer.
      this.#waiting = new Map([...records, ...this.#waiting]);
      this.#failedCommits += 1;
      throw this.#fail(error);
    }
  }

  /**
   * The file under the path, open. Where it is another one than before, `records` get all that the old one held.
   *
   * @throws why there is none
   */
  async #fileToWrite(records: Map<string, Buffer | undefined>): Promise<LmdbFile> {
    const file = this.#file;
    // Before it is closed: afterwards another file may get its number.
    const place = file?.place();
    switch (place) {
      case 'same':
        if (!this.#isDoubtful) return file as LmdbFile;
        break;
      case 'unmounted':
        throw new Error(`${this.path} is gone, and its file system with it. Mount it again`);
      case 'missing':
      case 'other':
        this.#fail(
          new Error(`${this.path} was deleted or exchanged while the sidecar ran; it is written again`),
        );
        // What is still open of a file that was deleted can be read to the end.
        for (const [key, record] of readRecords(file?.readAll() ?? []).records) {
          if (!records.has(key)) records.set(key, record);
        }
        break;
      case 'cut':
        this.#fail(new Error(`${this.path} was cut off while the sidecar ran; what it held is lost`));
        break;
      case undefined:
    }
    if (place !== 'same' && place !== undefined) this.#lastFile = undefined;
    this.#file = undefined;
    await file?.close();
    if (this.#lastFile?.isInPlace() !== true)
      setAside(this.path, place === 'cut' ? 'damaged' : 'unread', this.clock.nowMs());
    return this.#use(openLmdbFile(this.path, 0));
  }

  #use(file: LmdbFile): LmdbFile {
    this.#file = file;
    this.#lastFile = file;
    return file;
  }

  #fail(error: unknown): Error {
    const fault = error instanceof Error ? error : new Error(String(error));
    if (!this.#fault) this.#faults += 1;
    this.#fault = fault;
    this.#lastFault = fault;
    return fault;
  }
}

function transactionOf(records: ReadonlyMap<string, Buffer | undefined>): Parameters<LmdbFile['commit']>[0] {
  const puts: { key: Buffer; value: Buffer }[] = [];
  const deletes: Buffer[] = [];
  for (const [key, value] of records) {
    if (value) puts.push({ key: placeOf(key), value });
    else deletes.push(placeOf(key));
  }
  return { puts, deletes };
}
