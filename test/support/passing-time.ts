// Processes of Node for which time passes as a test wishes: hours in a moment. Out: how to start them, and `pass`.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PRELOAD = resolve(__dirname, 'passing-time-preload.cjs');

export class PassingTime {
  readonly #directory = mkdtempSync(join(tmpdir(), 'gatewatch-time-'));
  readonly #file = join(this.#directory, 'seconds');
  readonly #options: string;
  #passedSeconds = 0;

  /** @param preloads what else is loaded into the processes */
  constructor(preloads: readonly string[] = []) {
    this.#options = [PRELOAD, ...preloads].map((file) => `--require ${file}`).join(' ');
    this.pass(0);
  }

  /** The same command under this time. */
  readonly wrap = (command: readonly string[]): string[] => [
    ...['env', `NODE_OPTIONS=${this.#options}`, `GATEWATCH_TEST_PASSED_SECONDS_FILE=${this.#file}`],
    ...command,
  ];

  pass(seconds: number): void {
    this.#passedSeconds += seconds;
    // At once, since the processes read it at any moment.
    writeFileSync(`${this.#file}.new`, String(this.#passedSeconds));
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** Unix ms, as those processes see it. */
  nowMs(): number {
    return Date.now() + this.#passedSeconds * 1_000;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
