// Where the sidecar is and what is shown to it, from flags and environment. Secrets come from the environment or a file, and never from
// a flag: others on the machine can see those. Pure: the file's reader is given.
import { UsageFault } from './command';

export const DEFAULT_URL = 'http://127.0.0.1:9765';

export interface Connection {
  /** As people write it, without a password. */
  readonly name: string;
  /** Before the path of each address: `http://127.0.0.1:9765`. */
  readonly base: string;
  readonly socketPath: string | undefined;
  /** The header; a secret. */
  readonly authorization: string | undefined;
  readonly shows: 'token' | 'password' | 'nothing';
}

export interface ConnectionFlags {
  readonly url?: string | undefined;
  readonly 'token-file'?: string | undefined;
}

/**
 * @param readFile throws where the file cannot be read
 * @throws UsageFault
 */
export function readConnection(
  flags: ConnectionFlags,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): Connection {
  const given = flags.url ?? (env.GATEWATCH_URL === '' ? undefined : env.GATEWATCH_URL) ?? DEFAULT_URL;
  const from = flags.url === undefined ? 'GATEWATCH_URL' : '--url';
  const token = readToken(flags['token-file'], env.GATEWATCH_TOKEN, readFile);
  const bearer = token === undefined ? undefined : `Bearer ${token}`;
  if (given.startsWith('unix:')) {
    const socketPath = given.slice('unix:'.length);
    if (!socketPath.startsWith('/')) throw new UsageFault(`${from}: expected unix: and an absolute path`);
    return {
      name: given,
      base: 'http://localhost',
      socketPath,
      authorization: bearer,
      shows: bearer === undefined ? 'nothing' : 'token',
    };
  }
  // A wrong one may hold a password, so it is not shown.
  if (!/^https?:\/\/[!-~]+$/.test(given) || !URL.canParse(given))
    throw new UsageFault(`${from}: expected an http or https address, or unix: and an absolute path`);
  const { origin, pathname, username, password } = new URL(given);
  const hasPassword = username !== '' || password !== '';
  if (hasPassword && flags.url !== undefined)
    throw new UsageFault(
      '--url: expected an address without a password, which others on this machine could see; set GATEWATCH_URL',
    );
  const base = `${origin}${pathname.replace(/\/+$/, '')}`;
  const basic = hasPassword ? basicAuthorization(username, password) : undefined;
  return {
    name: base,
    base,
    socketPath: undefined,
    authorization: bearer ?? basic,
    shows: bearer !== undefined ? 'token' : basic !== undefined ? 'password' : 'nothing',
  };
}

function readToken(
  file: string | undefined,
  fromEnvironment: string | undefined,
  readFile: (path: string) => string,
): string | undefined {
  const [token, from] =
    file === undefined
      ? [fromEnvironment === '' ? undefined : fromEnvironment, 'GATEWATCH_TOKEN']
      : [contentOf(file, readFile), '--token-file'];
  if (token === undefined || /^[!-~]{1,512}$/.test(token)) return token;
  throw new UsageFault(`${from}: expected a token of printable characters without spaces`);
}

function contentOf(file: string, readFile: (path: string) => string): string {
  try {
    return readFile(file).trim();
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new UsageFault(
      `--token-file: expected the path of a readable file, found one that is not (${code})`,
    );
  }
}

function basicAuthorization(username: string, password: string): string {
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  } catch {
    throw new UsageFault('GATEWATCH_URL: expected a name and a password in which a % is written as %25');
  }
}
