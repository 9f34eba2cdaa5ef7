// The compiled sidecar as a process of its own, with a configuration and a data directory that go when it does.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findFreePorts } from './free-ports';
import { RunningProgram } from './running-program';

const MAIN = resolve(__dirname, '../../dist/sidecar/main.js');

export class SidecarProcess {
  /** @param settings further lines of the configuration, @param nodeFlags for the process */
  static async start(settings = '', nodeFlags: readonly string[] = []): Promise<SidecarProcess> {
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-sidecar-'));
    const port = await findFreePorts(1);
    const configFile = join(directory, 'gatewatch.yml');
    writeFileSync(
      configFile,
      `listen: 127.0.0.1:${port}\ndata_dir: ${join(directory, 'data')}\n${settings}\n`,
    );
    const start = (): RunningProgram =>
      new RunningProgram(process.execPath, [...nodeFlags, MAIN, '--config', configFile]);
    const program = start();
    await program.says(/sidecar listens/);
    return new SidecarProcess(`http://127.0.0.1:${port}`, directory, start, program);
  }

  private constructor(
    readonly url: string,
    private readonly directory: string,
    private readonly start: () => RunningProgram,
    private program: RunningProgram,
  ) {}

  get pid(): number {
    return this.program.pid;
  }

  get output(): string {
    return this.program.output;
  }

  /** Ends it with SIGTERM and starts it again on the same data. @throws if it does not come up */
  async restart(): Promise<void> {
    await this.program.end();
    this.program = this.start();
    await this.program.says(/sidecar listens/);
  }

  async remove(): Promise<void> {
    await this.program.end('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
