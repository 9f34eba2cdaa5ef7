// The two programs that run the built plugin: kong-pdk's own server, and our host. In: a socket's path. Out: the process.
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { RunningProgram } from './running-program';

const PROJECT = resolve(__dirname, '../..');
const STOCK = join(PROJECT, 'node_modules/kong-pdk/bin/kong-js-pluginserver');
const HOST = join(PROJECT, 'dist/kong-plugin/host/main.js');
const PLUGINS = join(PROJECT, 'dist/kong-plugin/plugins');

export interface PluginServerProgram {
  readonly title: string;
  /** Arguments of Node. */
  readonly serve: (socket: string) => string[];
  readonly dump: string[];
  /** What it says when Kong can connect. */
  readonly ready: RegExp;
  /** How it ends at SIGTERM. */
  readonly endAtSigterm: { code: number | null; signal: NodeJS.Signals | null };
  /** The process that runs the plugin. @throws while there is none */
  readonly holderOf: (serverPid: number) => number;
}

export const STOCK_SERVER: PluginServerProgram = {
  title: 'the stock plugin server',
  serve: (socket) => [
    ...[STOCK, '--plugins-directory', PLUGINS],
    ...['-p', dirname(socket), '--sock-name', basename(socket)],
  ],
  dump: [STOCK, '--plugins-directory', PLUGINS, '--dump-all-plugins'],
  ready: /server started/,
  endAtSigterm: { code: null, signal: 'SIGTERM' },
  holderOf: (serverPid) => serverPid,
};

export const HOST_SERVER: PluginServerProgram = {
  title: 'the plugin host',
  serve: (socket) => [HOST, 'plugin-server', '--socket', socket],
  dump: [HOST, 'plugin-server', '--dump'],
  ready: /the plugin server listens/,
  endAtSigterm: { code: 0, signal: null },
  holderOf: (serverPid) => {
    const [worker] = readFileSync(`/proc/${serverPid}/task/${serverPid}/children`, 'utf8').trim().split(' ');
    if (worker === undefined || worker === '') throw new Error('no worker runs');
    return Number(worker);
  },
};

export const PLUGIN_SERVERS = [STOCK_SERVER, HOST_SERVER];

/**
 * Resolves when Kong could connect.
 *
 * @param wrap gives another program's command that becomes the given one
 */
export async function startPluginServer(
  { serve, ready }: PluginServerProgram,
  socket: string,
  wrap: (command: readonly string[]) => readonly string[] = (command) => command,
): Promise<RunningProgram> {
  const [command = '', ...args] = wrap([process.execPath, ...serve(socket)]);
  const program = new RunningProgram(command, args);
  await program.says(ready);
  return program;
}
