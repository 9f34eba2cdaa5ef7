// A disk of a few hundred kilobytes, in a mount namespace of its own, that a test fills, empties and turns read-only. It needs
// root, and the programs unshare and nsenter.
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningProgram } from './running-program';

const PAGE = Buffer.alloc(4_096, 1);
const FILLER = 'filler';

export class SmallDisk {
  static async mount(kilobytes: number): Promise<SmallDisk> {
    const path = mkdtempSync(join(tmpdir(), 'gatewatch-disk-'));
    const script = `mount -t tmpfs -o size=${kilobytes}k tmpfs '${path}' && echo mounted && exec sleep infinity`;
    const keeper = new RunningProgram('unshare', ['--mount', '/bin/sh', '-c', script]);
    await keeper.says(/^mounted$/m);
    return new SmallDisk(path, keeper);
  }

  private constructor(
    /** Where it is, for a process that was started with `enter`. */
    readonly path: string,
    private readonly keeper: RunningProgram,
  ) {}

  /** The same command where the disk is mounted. */
  enter(command: readonly string[]): string[] {
    return ['nsenter', `--mount=/proc/${this.keeper.pid}/ns/mnt`, '--', ...command];
  }

  /** Takes all room but so many pages. */
  fill(pagesLeft: number): void {
    const file = openSync(join(this.#outside, FILLER), 'w');
    let pages = 0;
    try {
      for (;;) {
        writeSync(file, PAGE);
        pages += 1;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      ftruncateSync(file, Math.max(0, pages - pagesLeft) * PAGE.length);
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    this.remove(FILLER);
  }

  /** @param name of what is directly on it */
  remove(name: string): void {
    rmSync(join(this.#outside, name), { recursive: true, force: true });
  }

  /**
   * Removes a file, and keeps its room taken whoever else closes it.
   *
   * @returns to give the room back
   */
  removeButHold(path: string): () => void {
    const file = openSync(join(this.#outside, path), 'r');
    this.remove(path);
    return () => closeSync(file);
  }

  async remount(how: 'ro' | 'rw'): Promise<void> {
    const [program = '', ...args] = this.enter(['mount', '-o', `remount,${how}`, this.path]);
    const { code } = await new RunningProgram(program, args).ended;
    if (code !== 0) throw new Error(`remount,${how} ended with ${code}`);
  }

  async unmount(): Promise<void> {
    await this.keeper.end('SIGKILL');
    rmSync(this.path, { recursive: true, force: true });
  }

  /** The disk as this process sees it. */
  get #outside(): string {
    return `/proc/${this.keeper.pid}/root${this.path}`;
  }
}
