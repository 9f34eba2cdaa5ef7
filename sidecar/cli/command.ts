// What every command of the command line shares: what surrounds it, how its flags are read, and how it fails. A command never ends the
// process itself.
import { hostname, userInfo } from 'node:os';
import { parseArgs, types, type ParseArgsConfig } from 'node:util';

type FlagOptions = NonNullable<ParseArgsConfig['options']>;

/** The rim of a command: all that it knows of the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Of the terminal; `undefined` where the output is none, and lines may be as long as they like. */
  readonly columns: number | undefined;
  readonly hasColors: boolean;
  /** Unix ms. */
  readonly nowMs: () => number;
  /** Of this program. */
  readonly version: string;
}

export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** A command: the arguments after its name in, an exit code out. */
export type Command = (args: readonly string[], surroundings: Surroundings) => Promise<number>;

/** What was asked for cannot be done: exit code 1. */
export class CommandFault extends Error {}

/** The command line is wrong: exit code 2. */
export class UsageFault extends Error {}

/** The flags of every command that asks the sidecar. */
export const CONNECTION_FLAGS = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const satisfies FlagOptions;

export const CONNECTION_HELP = `  --url URL           where the sidecar is: http://..., https://... or unix:/path (GATEWATCH_URL,
                      or else http://127.0.0.1:9765)
  --token-file FILE   the file with the sidecar's token; or the token itself in GATEWATCH_TOKEN
  --json              what the sidecar answered, as JSON
  --help              this page

A user's password for reading goes into GATEWATCH_URL, as in https://name:password@host. Never into
--url: others on this machine can see the command line.
`;

/** @throws UsageFault */
export function readFlags<const Options extends FlagOptions>(args: readonly string[], options: Options) {
  try {
    const config = { args: [...args], options, allowPositionals: true, strict: true } as const;
    return parseArgs<typeof config>(config);
  } catch (error) {
    // Only the first sentence of Node's own message: the rest speaks of arguments that begin with a dash.
    throw new UsageFault(types.isNativeError(error) ? error.message.replace(/\. .*$/s, '') : String(error));
  }
}

/** Who is at work where nobody says: `user@host`. */
export function defaultBy(env: Surroundings['env']): string {
  return `${env.USER ?? ownName()}@${hostname()}`.slice(0, LONGEST_BY);
}

const LONGEST_BY = 200;

/** Not every user of a container has a name. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user-${process.getuid?.() ?? 'unknown'}`;
  }
}
