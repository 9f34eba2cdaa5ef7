// Writes every batch that was counted to the recording's file of the day, for replays. In: the sealed bytes as they came. Out: lines in
// files, see `recorded-line.ts`.
// Never in the way of taking batches in: lines wait in memory until the disk has taken those before, at most MOST_WAITING_BYTES of them.
// What finds no room, or what the disk does not take, is counted and not written; the recording then says that something is missing.
// Of faults in a row the first is logged. Days that ended longer than `keepMs` ago are removed when a new file is begun.
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { RecordingSettings } from '../config/config';
import { batchLine, markLine, type BatchTimes, type Mark } from './recorded-line';
import { dayOfFile, recordingFile } from './recording-files';

/** Minutes of a busy gateway. */
export const MOST_WAITING_BYTES = 32 * 1024 * 1024;

interface Waiting {
  readonly settings: RecordingSettings;
  readonly receivedMs: number;
  readonly line: Buffer;
  /** What is to be said before it. */
  readonly mark: { readonly mark: Mark; readonly atMs: number } | undefined;
}

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
}

export class BatchRecording {
  readonly #settings: () => RecordingSettings | undefined;
  readonly #logger: Logger;
  readonly #startedMs: number;
  /** The next batch does not follow on the one before it. */
  #mark: Mark | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #file: OpenFile | undefined;
  /** The disk has not taken what came before. */
  #hasFault = false;
  #recorded = 0;
  #lost = 0;

  /**
   * @param settings asked for each batch, so that a reload holds at once
   * @param startedMs the sidecar's start, Unix ms
   */
  constructor(settings: () => RecordingSettings | undefined, logger: Logger, startedMs: number) {
    this.#settings = settings;
    this.#logger = logger;
    this.#startedMs = startedMs;
    this.#mark = settings() === undefined ? 'resumed' : 'started';
  }

  /** Batches that were written, since the start. */
  get recorded(): number {
    return this.#recorded;
  }

  /** Batches that were to be written and could not be, since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Returns at once, and never throws. @param sealed the bytes of a batch that was counted; they are not copied */
  add(times: BatchTimes, sealed: Uint8Array): void {
    const settings = this.#settings();
    if (settings === undefined) {
      this.#mark = 'resumed';
      return;
    }
    const { receivedMs } = times;
    if (this.#waitingBytes + sealed.length > MOST_WAITING_BYTES) {
      this.#lost += 1;
      this.#mark = 'resumed';
      return;
    }
    const mark = this.#mark && {
      mark: this.#mark,
      atMs: this.#mark === 'started' ? this.#startedMs : receivedMs,
    };
    this.#mark = undefined;
    const line = batchLine(times, sealed);
    this.#waiting.push({ settings, receivedMs, line, mark });
    this.#waitingBytes += line.length;
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  /** Writes what waits, and ends. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#closeFile();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#takeOfOneFile();
      try {
        await this.#append(lines);
        this.#recorded += lines.length;
        this.#hasFault = false;
      } catch (error) {
        this.#lost += lines.length;
        if (!this.#hasFault)
          this.#logger.error({ err: error }, 'batches cannot be recorded; all else goes on without it');
        this.#hasFault = true;
        await this.#closeFile();
      } finally {
        for (const { line } of lines) this.#waitingBytes -= line.length;
      }
    }
  }

  /** The first of those that wait, and all after it that go into the same file. */
  #takeOfOneFile(): Waiting[] {
    const [first] = this.#waiting;
    const path = first && pathOf(first);
    const end = this.#waiting.findIndex((waiting) => pathOf(waiting) !== path);
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  async #append(lines: readonly Waiting[]): Promise<void> {
    const [first] = lines;
    if (first === undefined) return;
    const handle = await this.#openFile(first);
    const pieces = lines.flatMap(({ mark, line }) =>
      mark ? [markLine(mark.mark, mark.atMs), line] : [line],
    );
    if (this.#hasFault && first.mark === undefined) pieces.unshift(markLine('resumed', first.receivedMs));
    await handle.appendFile(Buffer.concat(pieces));
  }

  async #openFile(waiting: Waiting): Promise<FileHandle> {
    const path = pathOf(waiting);
    if (this.#file?.path === path) return this.#file.handle;
    await this.#closeFile();
    const { directory, keepMs } = waiting.settings;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const handle = await open(path, 'a', 0o600);
    this.#file = { path, handle };
    // Whatever broke off there last is a line of its own.
    if ((await handle.stat()).size > 0) await handle.appendFile('\n');
    await this.#removeOld(directory, waiting.receivedMs - keepMs);
    return handle;
  }

  async #removeOld(directory: string, beforeMs: number): Promise<void> {
    try {
      const names = await readdir(directory);
      const old = names.filter((name) => (dayOfFile(name)?.toMs ?? Infinity) <= beforeMs);
      await Promise.all(old.map((name) => rm(join(directory, name), { force: true })));
    } catch (error) {
      this.#logger.error({ err: error }, 'old recordings of batches cannot be removed');
    }
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.handle.close();
    } catch (error) {
      this.#logger.error({ err: error }, 'a recording of batches could not be closed');
    }
  }
}

function pathOf({ settings, receivedMs }: Waiting): string {
  return join(settings.directory, recordingFile(receivedMs));
}
