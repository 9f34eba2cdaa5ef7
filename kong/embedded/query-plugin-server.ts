// In: a query command. Out: the plugins it announces on its stdout, read to the end as Kong does. Where Kong would wait
// for ever (a timer or socket that keeps the command alive) this gives up after 30 s with an error that says so.
import { spawn } from 'node:child_process';
import { PluginDumpFault, readPluginDump, type AnnouncedPlugin } from './announced-plugin';
import { pluginServerEnvironment } from './plugin-server-environment';

const QUERY_TIMEOUT_MS = 30_000;

/** @throws PluginDumpFault when the command fails, does not end, or prints anything but the plugin list */
export async function queryPluginServer(
  command: string,
  environment: Readonly<Record<string, string | undefined>>,
  log: (line: string) => void,
): Promise<AnnouncedPlugin[]> {
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: pluginServerEnvironment(environment),
    timeout: QUERY_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => log(chunk.trimEnd()));
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (_code, killedBy) => resolve(killedBy));
  });
  if (signal === 'SIGKILL') {
    throw new PluginDumpFault(
      `${command}\nexpected to end within ${QUERY_TIMEOUT_MS / 1000} s: Kong would wait for it for ever`,
    );
  }
  return readPluginDump(output, command);
}
