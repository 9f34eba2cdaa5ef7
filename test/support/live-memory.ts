// What a process of Node holds in memory once its garbage is collected: resident memory hides some megabytes, this does not.
// Out: how to start such processes, and the question.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually } from './eventually';

/** What must be loaded into a process before anything else. */
export const LIVE_MEMORY_PRELOAD = resolve(__dirname, 'live-memory-preload.cjs');

export class LiveMemory {
  readonly #directory = mkdtempSync(join(tmpdir(), 'gatewatch-memory-'));

  /** The same command with what can be asked. */
  readonly wrap = (command: readonly string[]): string[] => [
    ...['env', `NODE_OPTIONS=--require ${LIVE_MEMORY_PRELOAD}`],
    ...[`GATEWATCH_TEST_LIVE_MEMORY=${this.#directory}`, ...command],
  ];

  async readMb(pid: number): Promise<number> {
    const file = join(this.#directory, String(pid));
    rmSync(file, { force: true });
    process.kill(pid, 'SIGUSR2');
    const bytes = await eventually(() => Promise.resolve().then(() => readFileSync(file, 'utf8')));
    return Number(bytes) / 1_000_000;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
