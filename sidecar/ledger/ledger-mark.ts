// The mark: a small file beside the store with the number of the last transaction that a receipt was given for. Where the
// store ends before it, it lost something: it was cut off, emptied, exchanged for an older copy, or a flipped bit made lmdb
// fall back to the transaction before. The mark is written after each commit and not flushed: a power cut may leave an
// older mark, never a newer one, so it never accuses a store that is whole.
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/** Digits of the largest safe integer, and a line end. */
const DIGITS = 16;

export class LedgerMark {
  #file: number | undefined;

  /** Makes the file where it does not exist. @throws what the file system says */
  constructor(readonly path: string) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** 0 before the first one; `undefined` if the file is not what was written. */
  read(): number | undefined {
    if (fstatSync(this.#open).size === 0) return 0;
    const bytes = Buffer.alloc(DIGITS + 2);
    const text = bytes.toString('latin1', 0, readSync(this.#open, bytes, 0, bytes.length, 0));
    return /^\d{16}\n$/.test(text) ? Number(text) : undefined;
  }

  /** In place, in one write. @throws what the file system says */
  write(transaction: number): void {
    writeSync(this.#open, `${String(transaction).padStart(DIGITS, '0')}\n`, 0);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  get #open(): number {
    if (this.#file === undefined) throw new Error(`${this.path} is closed`);
    return this.#file;
  }
}
