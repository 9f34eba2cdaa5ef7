// The compiled sidecar as a process of its own, with a configuration and a data directory that go when it does.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findFreePorts } from './free-ports';
import { RunningProgram, type ProgramEnd } from './running-program';

const MAIN = resolve(__dirname, '../../dist/sidecar/main.js');

export interface SidecarProcessOptions {
  /** Further lines of the configuration. */
  readonly settings?: string;
  /** Its own if it is not said. */
  readonly dataDirectory?: string;
  /** For Node. */
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another program's command that runs the given one, e.g. in a mount namespace of its own. */
  readonly wrap?: (command: readonly string[], dataDirectory: string) => readonly string[];
}

export class SidecarProcess {
  static async start(settings = '', nodeFlags: readonly string[] = []): Promise<SidecarProcess> {
    const sidecar = await SidecarProcess.prepare({ settings, nodeFlags });
    await sidecar.start();
    return sidecar;
  }

  /** One that is not started yet. */
  static async prepare(options: SidecarProcessOptions = {}): Promise<SidecarProcess> {
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-sidecar-'));
    return new SidecarProcess(directory, await findFreePorts(1), options);
  }

  readonly url: string;
  readonly dataDirectory: string;
  readonly #command: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #program: RunningProgram | undefined;

  private constructor(
    readonly directory: string,
    port: number,
    {
      settings = '',
      dataDirectory,
      nodeFlags = [],
      env = {},
      wrap = (command) => command,
    }: SidecarProcessOptions,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = env;
    this.dataDirectory = dataDirectory ?? join(directory, 'data');
    const configFile = join(directory, 'gatewatch.yml');
    writeFileSync(configFile, `listen: 127.0.0.1:${port}\ndata_dir: ${this.dataDirectory}\n${settings}\n`);
    this.#command = wrap([process.execPath, ...nodeFlags, MAIN, '--config', configFile], this.dataDirectory);
  }

  /** @throws if it does not come up */
  async start(): Promise<void> {
    await this.#spawn().says(/sidecar listens/);
  }

  /** Starts it; where it ends with exit code 1 instead of coming up, gives all that it said. @throws for another end */
  async tryStart(): Promise<string | undefined> {
    const program = this.#spawn();
    const isUp = await program.says(/sidecar listens/).then(
      () => true,
      () => false,
    );
    if (isUp) return undefined;
    const end = await program.ended;
    if (end.code === 1) return program.output;
    throw new Error(`expected exit code 1, found ${JSON.stringify(end)}:\n${program.output}`);
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** Of the last start. */
  get output(): string {
    return this.#running.output;
  }

  /** How the last start ends. */
  get ended(): Promise<ProgramEnd> {
    return this.#running.ended;
  }

  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#running.says(pattern);
  }

  /** Ends it with SIGTERM and starts it again on the same data. @throws if it does not come up */
  async restart(): Promise<void> {
    await this.end();
    await this.start();
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#program?.end(signal);
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #running(): RunningProgram {
    if (!this.#program) throw new Error('the sidecar was not started');
    return this.#program;
  }

  #spawn(): RunningProgram {
    const [program = '', ...args] = this.#command;
    return (this.#program = new RunningProgram(program, args, this.#env));
  }
}
