// One producer's spool on disk: a checkpoint, and behind it what happened since. What is written here is not lost when the
// process is killed, and all but the last second not when the machine is. Where the disk does not take it, that is said
// aloud, and counting goes on in memory until a checkpoint succeeds.
import { closeSync, fdatasync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Series } from '../contract/delta';
import type { Observation } from '../observation';
import type { PluginLog } from '../plugin-log';
import { encodeCheckpoint, type Checkpoint } from './spool-checkpoint';
import type { SpoolFolder } from './spool-folder';
import { sealRecord } from './spool-record';
import { TailWriter } from './spool-tail';

/** A tail that is longer than this, and than two checkpoints, is worth a new checkpoint. */
const LONG_TAIL_BYTES = 8 * 1024 * 1024;

export class SpoolFile {
  readonly #folder: SpoolFolder;
  readonly #producer: string;
  readonly #log: PluginLog;
  #file: number | undefined;
  #tail = new TailWriter();
  #checkpointBytes = 0;
  #tailBytes = 0;
  #failed = false;
  /** What was written last is not flushed. */
  #isDirty = false;
  readonly #flushing = new Set<number>();

  constructor(folder: SpoolFolder, producer: string, log: PluginLog) {
    this.#folder = folder;
    this.#producer = producer;
    this.#log = log;
  }

  /** Whether what is appended now will be found by the next process. */
  get isWritten(): boolean {
    return this.#file !== undefined;
  }

  get isLong(): boolean {
    return this.#tailBytes > Math.max(LONG_TAIL_BYTES, 2 * this.#checkpointBytes);
  }

  /** @param series under which it is counted. @returns whether it is on disk */
  appendObservation(observation: Observation, series: Series, atMs: number): boolean {
    if (this.#file === undefined) return false;
    return this.#append(this.#tail.observation(observation, series, atMs));
  }

  appendSettled(sequence: number): void {
    if (this.#file !== undefined) this.#append(this.#tail.settled(sequence));
  }

  /**
   * Begins the file anew, in place of the old one at once. If that fails there is no file: the old one does not have the
   * batches that may be sent from now on, and whoever adopted it would count them again.
   */
  checkpoint(checkpoint: Checkpoint): void {
    const record = sealRecord(encodeCheckpoint(checkpoint));
    try {
      try {
        this.#replace(record);
      } catch {
        // What takes up the room that is missing may be the old file.
        this.remove();
        this.#replace(record);
      }
      if (this.#failed) this.#log('info', 'the spool is written again', { folder: this.#folder.path });
      this.#failed = false;
    } catch (error) {
      this.remove();
      this.#fail(error);
    }
  }

  /** Against a power cut; nobody waits for it. Call it about once a second. */
  flush(): void {
    if (this.#file !== undefined && this.#isDirty && !this.#flushing.has(this.#file)) this.#flush(this.#file);
  }

  /** Never throws. Where the folder cannot be written, the file is emptied: whoever adopts it then has nothing to send. */
  remove(): void {
    for (const path of [this.#paths.spool, this.#paths.unfinished]) {
      try {
        rmSync(path, { force: true });
      } catch (error) {
        this.#empty(path, error);
      }
    }
    this.close();
  }

  /** Leaves the file to whoever adopts it. */
  close(): void {
    if (this.#file !== undefined) this.#closeFlushed(this.#file);
    this.#file = undefined;
  }

  get #paths(): { spool: string; unfinished: string } {
    return {
      spool: this.#folder.spoolPath(this.#producer),
      unfinished: this.#folder.unfinishedPath(this.#producer),
    };
  }

  #replace(record: Buffer): void {
    this.#folder.hold();
    const { spool, unfinished } = this.#paths;
    const file = openSync(unfinished, 'w', 0o600);
    try {
      writeWhole(file, record);
      renameSync(unfinished, spool);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    this.close();
    this.#file = file;
    this.#tail = new TailWriter();
    this.#checkpointBytes = record.length;
    this.#tailBytes = 0;
    this.#flush(file);
  }

  #append(record: Buffer): boolean {
    try {
      writeWhole(this.#file ?? -1, record);
      this.#tailBytes += record.length;
      this.#isDirty = true;
      return true;
    } catch (error) {
      // What is in the file is true and stays there: nothing was sent since that it does not have.
      this.close();
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#log(
      'error',
      'the spool cannot be written; what is not delivered yet is in memory only, and would be lost if this process was killed',
      { folder: this.#folder.path, reason: error instanceof Error ? error.message : String(error) },
    );
  }

  #flush(file: number): void {
    this.#isDirty = false;
    this.#flushing.add(file);
    fdatasync(file, (error) => {
      this.#flushing.delete(file);
      if (file !== this.#file) closeSync(file);
      else if (error) {
        // What a failed flush has left nobody knows.
        this.close();
        this.#fail(error);
      }
    });
  }

  #empty(path: string, reason: unknown): void {
    try {
      // What is open can be emptied where the folder, or the path to it, does not let anything be done any more.
      if (path === this.#paths.spool && this.#file !== undefined) ftruncateSync(this.#file, 0);
    } catch (error) {
      this.#log('error', 'a spool can neither be removed nor emptied', {
        path,
        reason: [reason, error].map((one) => (one instanceof Error ? one.message : String(one))).join('; '),
      });
    }
  }

  /** A file that is being flushed is closed afterwards: its number must not be given away meanwhile. */
  #closeFlushed(file: number): void {
    if (!this.#flushing.has(file)) closeSync(file);
  }
}

/** A full disk may take a part and tell it by the number of bytes only. */
function writeWhole(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
