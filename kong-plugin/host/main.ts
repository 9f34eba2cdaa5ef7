#!/usr/bin/env node
// gatewatch plugin-server: serves Kong's socket, or says what Kong asks about the plugin.
import { parseArgs } from 'node:util';
import { logToStderr } from '../plugin-log';
import { pluginAnnouncement, writeAnnouncement } from './announce-plugin';
import { PluginHost } from './plugin-host';

const USAGE = `gatewatch plugin-server --socket <path> [--dump-to <file>]
gatewatch plugin-server --dump

  --socket <path>    the unix socket that Kong connects to: pluginserver_<name>_socket in kong.conf
  --dump-to <file>   first write what Kong reads about the plugin into this file, for
                     pluginserver_<name>_query_cmd = cat <file>
  --dump             print the same, and end: pluginserver_<name>_query_cmd = gatewatch plugin-server --dump
`;

/** The command line was understood, and cannot be done. */
class Refused extends Error {}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      socket: { type: 'string' },
      dump: { type: 'boolean' },
      'dump-to': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (positionals.length !== 1 || positionals[0] !== 'plugin-server') {
    throw new Error(`expected the command plugin-server, found ${JSON.stringify(positionals.join(' '))}`);
  }
  if (values.dump) {
    process.stdout.write(await pluginAnnouncement());
    return 0;
  }
  if (values['dump-to'] !== undefined) await writeAnnouncement(values['dump-to']).catch(refuse);
  if (values.socket === undefined) {
    if (values['dump-to'] !== undefined) return 0;
    throw new Error('expected --socket <path> or --dump');
  }
  const host = new PluginHost(values.socket, logToStderr);
  let first: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    first ??= signal;
    // The same again insists. The other one is a terminal's Ctrl-C followed by a parent's SIGTERM: one wish, told twice.
    if (signal === first) host.stop();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  await host.start().catch(refuse);
  return host.ended;
}

function refuse(error: unknown): never {
  throw new Refused(error instanceof Error ? error.message : String(error));
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`gatewatch: ${message}\n${error instanceof Refused ? '' : `\n${USAGE}`}`);
    process.exit(2);
  },
);
