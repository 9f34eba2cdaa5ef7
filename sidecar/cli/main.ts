#!/usr/bin/env node
// gatewatch: every program of the package under one name. Each command is loaded when it is asked for: the plugin server is to be no
// larger for what the others need. Exit codes of alerts, ack, silence and dead-letters: 0 done; 1 not done, or the sidecar cannot be
// asked; 2 a wrong command line. The others have their own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Ack from './ack-command';
import type * as Alerts from './alerts-command';
import { CommandFault, EXIT, UsageFault, type Command, type Surroundings } from './command';
import type * as DeadLetters from './dead-letters-command';
import type * as NearestWord from '../config/nearest-word';
import type * as Notify from './notify-command';
import type * as Replay from './replay';
import type * as Silence from './silence-command';
import { plainLine } from './terminal-text';

const USAGE = `Usage: gatewatch COMMAND [flags]

  alerts           what fires, one alert in full, and what happened
  ack              somebody knows of an alert
  silence          alerts that match are not told of for a while
  dead-letters     messages that no channel took
  notify           tries a channel, or shows what it would be sent
  replay           how often rules would have called somebody in the past
  sidecar          runs the sidecar
  plugin-server    serves Kong's socket

gatewatch COMMAND --help tells more.
`;

const load = createRequire(__filename);

type Run = (args: readonly string[]) => Promise<number | undefined>;

const COMMANDS: Readonly<Record<string, Run>> = {
  alerts: (args) => ask((load('./alerts-command') as typeof Alerts).alertsCommand, args),
  ack: (args) => ask((load('./ack-command') as typeof Ack).ackCommand, args),
  silence: (args) => ask((load('./silence-command') as typeof Silence).silenceCommand, args),
  'dead-letters': (args) =>
    ask((load('./dead-letters-command') as typeof DeadLetters).deadLettersCommand, args),
  notify: (args) => ask((load('./notify-command') as typeof Notify).notifyCommand, args),
  replay: (args) => (load('./replay') as typeof Replay).runReplay(args),
  // It reads `process.argv` itself, its own name not among it.
  sidecar: () => handOver(() => process.argv.splice(2, 1), '../main.js'),
  'plugin-server': () => handOver(() => undefined, '../../kong-plugin/host/main.js'),
};

async function main(args: readonly string[]): Promise<number | undefined> {
  const [name, ...rest] = args;
  switch (name) {
    case undefined:
      process.stderr.write(USAGE);
      return EXIT.usage;
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(USAGE);
      return EXIT.ok;
    case '--version':
      process.stdout.write(`gatewatch ${readVersion()}\n`);
      return EXIT.ok;
  }
  const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (run) return run(rest);
  const { nearestWord } = load('../config/nearest-word') as typeof NearestWord;
  const meant = nearestWord(name, Object.keys(COMMANDS));
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  process.stderr.write(
    `gatewatch: there is no command ${JSON.stringify(plainLine(name))}${hint}\n\n${USAGE}`,
  );
  return EXIT.usage;
}

async function ask(command: Command, args: readonly string[]): Promise<number> {
  // A reader such as `head` that has gone away: nobody is left to tell.
  process.stdout.on('error', () => process.exit(EXIT.ok));
  const { stdout, env } = process;
  const surroundings: Surroundings = {
    env,
    out: (text) => void stdout.write(text),
    err: (text) => void process.stderr.write(text),
    columns: stdout.isTTY ? stdout.columns : undefined,
    hasColors: stdout.isTTY && !env.NO_COLOR && env.TERM !== 'dumb',
    nowMs: () => Date.now(),
    version: readVersion(),
  };
  return command(args, surroundings);
}

/** To a program that runs once it is loaded, and ends the process itself. */
function handOver(prepare: () => unknown, file: string): Promise<undefined> {
  prepare();
  load(file);
  return Promise.resolve(undefined);
}

function readVersion(): string {
  // dist/sidecar/cli/main.js -> package.json
  const text = readFileSync(join(__dirname, '..', '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const words = process.argv.slice(2);
main(words).then(
  (code) => {
    // Not `process.exit`: what was written may still be on its way.
    if (code !== undefined) process.exitCode = code;
  },
  (error: unknown) => {
    const isUsage = error instanceof UsageFault;
    const message =
      isUsage || error instanceof CommandFault
        ? error.message.split('\n').map(plainLine).join('\n')
        : error instanceof Error
          ? error.stack
          : String(error);
    const hint = isUsage ? `\`gatewatch ${words[0] ?? ''} --help\` tells more.\n` : '';
    process.stderr.write(`gatewatch: ${message ?? 'an error without a stack'}\n${hint}`);
    process.exitCode = isUsage ? EXIT.usage : EXIT.failed;
  },
);
