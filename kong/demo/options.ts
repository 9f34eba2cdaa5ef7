// In: the command line of `npm start`. Out: the demo's options, the help text, or a sentence that says what is wrong.
// Ports are TCP ports on 127.0.0.1, 1 to 65535; the demo upstreams use `UPSTREAM_PORT_COUNT` ports from the base on.
import { parseArgs, types } from 'node:util';

/** How many consecutive ports the demo upstreams stand for, the one that refuses included. */
export const UPSTREAM_PORT_COUNT = 6;

/** What `npm start` was asked to do; every port is on 127.0.0.1. */
export interface DemoOptions {
  readonly traffic: boolean;
  readonly realKong: boolean;
  readonly verbose: boolean;
  /** Starts Spotlight, which shows what the plugin and the sidecar report. */
  readonly spotlight: boolean;
  readonly proxyPort: number;
  readonly statusPort: number;
  readonly sidecarPort: number;
  readonly prometheusPort: number;
  readonly spotlightPort: number;
  readonly upstreamBasePort: number;
}

/** The outcome of reading a command line; it never throws. */
export type ParsedCommandLine =
  | { readonly kind: 'run'; readonly options: DemoOptions }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'refused'; readonly message: string };

const PORT_FLAGS = {
  'proxy-port': { standard: 8000, highest: 65535, what: "the gateway's proxy" },
  'status-port': { standard: 8101, highest: 65535, what: "the gateway's status API" },
  'sidecar-port': { standard: 9765, highest: 65535, what: 'the sidecar' },
  'prometheus-port': { standard: 9090, highest: 65535, what: 'Prometheus, if it is on the PATH' },
  'spotlight-port': { standard: 8969, highest: 65535, what: 'Spotlight, with --spotlight' },
  'upstream-base-port': {
    standard: 9101,
    highest: 65535 - UPSTREAM_PORT_COUNT + 1,
    what: `the first of ${UPSTREAM_PORT_COUNT} ports of the demo upstreams`,
  },
} as const;

type PortFlag = keyof typeof PORT_FLAGS;

const SWITCHES = {
  'no-traffic': 'send no traffic: for your own requests',
  kong: 'start the real `kong` from the PATH instead of the embedded gateway',
  spotlight: "show errors and traces as Sentry does, without an account: starts Sentry's Spotlight",
  verbose: "print every program's own output, with its name before each line",
  help: 'show this page',
} as const;

class RefusedFlag extends Error {}

/**
 * Reads the arguments after the script's name.
 *
 * @param args for example `['--no-traffic', '--proxy-port', '18000']`
 */
export function parseOptions(args: readonly string[]): ParsedCommandLine {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        'no-traffic': { type: 'boolean', default: false },
        kong: { type: 'boolean', default: false },
        spotlight: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        'proxy-port': { type: 'string' },
        'status-port': { type: 'string' },
        'sidecar-port': { type: 'string' },
        'prometheus-port': { type: 'string' },
        'spotlight-port': { type: 'string' },
        'upstream-base-port': { type: 'string' },
      },
    });
    if (values.help) return { kind: 'help', text: helpText() };
    return {
      kind: 'run',
      options: Object.freeze({
        traffic: !values['no-traffic'],
        realKong: values.kong,
        verbose: values.verbose,
        spotlight: values.spotlight,
        proxyPort: readPort('proxy-port', values['proxy-port']),
        statusPort: readPort('status-port', values['status-port']),
        sidecarPort: readPort('sidecar-port', values['sidecar-port']),
        prometheusPort: readPort('prometheus-port', values['prometheus-port']),
        spotlightPort: readPort('spotlight-port', values['spotlight-port']),
        upstreamBasePort: readPort('upstream-base-port', values['upstream-base-port']),
      }),
    };
  } catch (error) {
    // Only the first sentence of Node's own message: the rest speaks of positional arguments, which there are none of.
    const message = types.isNativeError(error) ? error.message.replace(/\. .*$/s, '') : String(error);
    return { kind: 'refused', message: `${message}. \`npm start -- --help\` lists the flags.` };
  }
}

function readPort(flag: PortFlag, given: string | undefined): number {
  const { standard, highest } = PORT_FLAGS[flag];
  if (given === undefined) return standard;
  const port = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (port < 1 || port > highest) {
    throw new RefusedFlag(`--${flag} must be a whole number from 1 to ${highest}, found "${given}"`);
  }
  return port;
}

function helpText(): string {
  const lines = Object.entries(PORT_FLAGS).map(([flag, { standard, what }]) =>
    helpLine(`--${flag} N`, `port of ${what} (${standard})`),
  );
  const switches = Object.entries(SWITCHES).map(([flag, what]) => helpLine(`--${flag}`, what));
  return [
    'Usage: npm start -- [flags]',
    '',
    'Brings up demo upstreams, the gateway with the Gatewatch plugin, the sidecar and a light traffic, all on 127.0.0.1.',
    'Ctrl-C stops everything.',
    '',
    ...switches,
    ...lines,
    '',
  ].join('\n');
}

function helpLine(flag: string, what: string): string {
  return `  ${flag.padEnd(24)}${what}`;
}
