// Processes whose clock a test sets while they run: libfaketime stands between them and the system. In: the program faketime.
// Out: how to start them, and `set`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SetClock {
  readonly #directory = mkdtempSync(join(tmpdir(), 'gatewatch-clock-'));
  readonly #file = join(this.#directory, 'offset');
  readonly #library: string;

  constructor(faketime: string) {
    // The program itself stays between a test and its process, and hands no signal on.
    this.#library = execFileSync(faketime, ['-f', '+0', 'printenv', 'LD_PRELOAD']).toString().trim();
    this.set(0);
  }

  /** The same command under this clock. */
  readonly wrap = (command: readonly string[]): string[] => [
    ...['env', `LD_PRELOAD=${this.#library}`, `FAKETIME_TIMESTAMP_FILE=${this.#file}`, 'FAKETIME_NO_CACHE=1'],
    // What measures elapsed time goes on evenly, as it does where a person or NTP sets the clock.
    'FAKETIME_DONT_FAKE_MONOTONIC=1',
    ...command,
  ];

  /** @param offsetSeconds from the true time on */
  set(offsetSeconds: number): void {
    // At once, since the processes read it at any moment.
    writeFileSync(`${this.#file}.new`, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
