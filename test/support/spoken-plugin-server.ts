// A plugin server as a process, with one instance of the plugin, spoken to as Kong speaks to it over several connections.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startPluginServer, type PluginServerProgram } from './plugin-servers';
import { RpcClient } from './rpc-client';
import type { ProgramEnd, RunningProgram } from './running-program';

const LOG = readFileSync(resolve(__dirname, '../fixtures/kong/logs/200.json'), 'utf8');

export interface SpokenPluginServerOptions {
  readonly program: PluginServerProgram;
  /** For its socket and its spool. */
  readonly directory: string;
  /** Of the plugin. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly connections?: number;
  readonly wrap?: (command: readonly string[]) => readonly string[];
}

export class SpokenPluginServer {
  static async start({
    program,
    directory,
    config,
    connections = 8,
    wrap,
  }: SpokenPluginServerOptions): Promise<SpokenPluginServer> {
    const socketPath = join(directory, 'js.sock');
    const server = await startPluginServer(program, socketPath, wrap);
    const kongs = await Promise.all(Array.from({ length: connections }, () => RpcClient.connect(socketPath)));
    const whole = { flush_interval_ms: 100, spool_dir: join(directory, 'spool'), ...config };
    const spoken = new SpokenPluginServer(program, server, kongs, whole);
    await spoken.startInstance();
    return spoken;
  }

  /** Events that were answered. */
  answered = 0;
  #instance = 0;

  private constructor(
    private readonly program: PluginServerProgram,
    private readonly server: RunningProgram,
    private readonly kongs: readonly RpcClient[],
    private readonly config: Readonly<Record<string, unknown>>,
  ) {}

  /** All that it said. */
  get output(): string {
    return this.server.output;
  }

  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.server.says(pattern);
  }

  /** The process that runs the plugin. */
  get holderPid(): number {
    return this.program.holderOf(this.server.pid);
  }

  /** Events are of this one from now on, as after a change of Kong's configuration. */
  async startInstance(change: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const start = { Name: 'gatewatch', Config: JSON.stringify({ ...this.config, ...change }) };
    this.#instance = ((await this.kongs[0]?.call('StartInstance', start)) as { Id: number }).Id;
  }

  /** Kong never comes back with what the plugin asked for: its worker was ended meanwhile. */
  async abandonEvents(count: number): Promise<void> {
    for (let one = 0; one < count; one++)
      await this.kongs[0]?.call('HandleEvent', { InstanceId: this.#instance, EventName: 'log' });
  }

  /**
   * So many requests were logged.
   *
   * @param nextLog gives the log of each
   */
  async logEvents(count: number, nextLog: () => string = () => LOG): Promise<void> {
    let left = count;
    await Promise.all(
      this.kongs.map(async (kong) => {
        while (left-- > 0) {
          const handled = await kong.call('HandleEvent', { InstanceId: this.#instance, EventName: 'log' });
          const { EventId } = handled as { EventId: number };
          const answer = (await kong.call('Step', { EventId, Data: nextLog() })) as { Data: unknown };
          if (answer.Data !== 'ret')
            throw new Error(`expected the end of the event, found ${String(answer.Data)}`);
          this.answered += 1;
        }
      }),
    );
  }

  /** Logs events at a steady rate until it is told to stop; gives what ends it. */
  load(perSecond: number): () => Promise<void> {
    let running = Promise.resolve();
    const timer = setInterval(() => {
      running = running.then(() => this.logEvents(perSecond / 50));
      running.catch(() => clearInterval(timer));
    }, 20);
    return async () => {
      clearInterval(timer);
      await running;
    };
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<ProgramEnd> {
    for (const kong of this.kongs) kong.close();
    return this.server.end(signal);
  }
}
