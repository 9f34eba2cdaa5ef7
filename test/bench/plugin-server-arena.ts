// A plugin server that is driven by a process in Kong's place, for the benches.
import { fork, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { RunningProgram } from '../support/running-program';
import type { DriveOrder, DriveReport } from './plugin-server-driver';
import { cpuOfTreeMs } from './process-cpu';

export interface Contender {
  readonly title: string;
  readonly plugin: string;
  readonly args: (socket: string) => string[];
  readonly ready: RegExp;
}

/** Our host, with the plugin. */
export const HOST_CONTENDER: Contender = {
  title: 'host, whole plugin',
  plugin: 'gatewatch',
  args: (socket) => [resolve('dist', 'kong-plugin', 'host', 'main.js'), 'plugin-server', '--socket', socket],
  ready: /the plugin server listens/,
};

export interface Turn {
  readonly cpuUs: number;
  readonly eventsPerSecond: number;
}

export class Arena {
  readonly turns: Turn[] = [];

  /**
   * @param config of the plugin
   * @param logs names of the recorded logs to drive; all of them where there is none
   */
  static async open(
    contender: Contender,
    directory: string,
    config: Readonly<Record<string, unknown>>,
    logs: readonly string[] = [],
  ): Promise<Arena> {
    const socket = join(directory, contender.title);
    const server = new RunningProgram(process.execPath, contender.args(socket));
    await server.says(contender.ready);
    const driver = fork(join(__dirname, 'plugin-server-driver.js'), [
      socket,
      contender.plugin,
      JSON.stringify(config),
      ...logs,
    ]);
    await reportOf(driver);
    return new Arena(contender, server, driver);
  }

  private constructor(
    readonly contender: Contender,
    private readonly server: RunningProgram,
    private readonly driver: ChildProcess,
  ) {}

  /** The server, without its children. */
  get pid(): number {
    return this.server.pid;
  }

  /** @param eventsPerSecond without it, as fast as they are answered */
  async drive(events: number, eventsPerSecond?: number): Promise<Turn> {
    const beforeMs = cpuOfTreeMs(this.server.pid);
    this.driver.send({ events, eventsPerSecond } satisfies DriveOrder);
    const { elapsedMs } = await reportOf(this.driver);
    const cpuMs = cpuOfTreeMs(this.server.pid) - beforeMs;
    return { cpuUs: (cpuMs * 1_000) / events, eventsPerSecond: (events * 1_000) / elapsedMs };
  }

  /** The plugin delivers what it has as its server ends. */
  async close(): Promise<void> {
    this.driver.kill();
    await this.server.end();
  }
}

/** @throws Error where the driver ended instead; it has said why */
function reportOf(driver: ChildProcess): Promise<DriveReport> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('the driver ended'));
    driver.once('exit', fail).once('message', (report) => {
      driver.off('exit', fail);
      resolve(report as DriveReport);
    });
  });
}

/** Median (lowest to highest). */
export function spread(values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.round(share * (sorted.length - 1))] ?? 0).toFixed(digits);
  return `${at(0.5)} (${at(0)} to ${at(1)})`;
}
