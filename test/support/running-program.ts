// A process under test. In: command, arguments, environment. Out: its output as it comes, the line a test waits for, its end.
import { spawn, type ChildProcess } from 'node:child_process';

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class RunningProgram {
  /** stdout and stderr, in the order in which they came. */
  output = '';
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  #waiting: (() => void)[] = [];
  #hasEnded = false;

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(command, args, {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (chunk: Buffer): void => {
      this.output += chunk.toString();
      this.#tell();
    };
    this.#child.stdout?.on('data', take);
    this.#child.stderr?.on('data', take);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        this.#hasEnded = true;
        this.#tell();
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the program did not start');
    return this.#child.pid;
  }

  /** The first match in the output; rejects, showing the output, if the program ends without one or is silent too long. */
  async says(pattern: RegExp, timeoutMs = 90_000): Promise<RegExpExecArray> {
    const late = AbortSignal.timeout(timeoutMs);
    late.addEventListener('abort', () => this.#tell());
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.#hasEnded) throw new Error(`the program ended without saying ${pattern}:\n${this.output}`);
      if (late.aborted)
        throw new Error(`the program did not say ${pattern} in ${timeoutMs} ms:\n${this.output}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** From now on nobody reads what the program writes: its pipes are broken, and each of its writes fails with EPIPE. */
  stopReading(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<ProgramEnd> {
    this.#child.kill(signal);
    return this.ended;
  }

  #tell(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }
}
