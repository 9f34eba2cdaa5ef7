// The DSN of a Sentry project: where its envelopes go, and the public key that lets them in. Plugin and sidecar read it from one
// variable. What is refused is never shown, since Kong writes the message into its log; the SDK's own check prints all of it.

const EXPECTED = 'expected https://KEY@HOST/PROJECT, as Sentry shows it under Client Keys (DSN)';

/** What the SDK takes, and nothing that it would read in another way: no query, no spaces, a project of digits only. */
const DSN =
  /^(?<scheme>https?):\/\/(?<key>\w+)(?::\w*)?@(?<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?<port>\d{1,5}))?\/(?<path>[\w./-]*?)(?<project>\d+)$/;

/** Steps that stay where they are: no `.` and no `..`. */
const PATH = /^(?:(?!\.{1,2}\/)[\w.-]+\/)*$/;

/** As the SDK names itself; the version is the installed one. */
export const SENTRY_CLIENT = 'sentry.javascript.node/11.1.0';

const PROTOCOL_VERSION = '7';

export interface Dsn {
  /** To name the project in messages: host and project id. */
  readonly text: string;
  readonly publicKey: string;
  readonly origin: string;
  /** With the query that authenticates; not to be printed. */
  readonly path: string;
}

/**
 * @param place how the message names the setting, such as `sentry.dsn`
 * @returns the same DSN, without the secret that old ones carry after the key: nothing needs it any more
 * @throws Error naming the place, and what is missing in it; never the DSN itself
 */
export function checkDsn(text: string, place: string): string {
  const dsn = plainDsn(text);
  if (dsn === undefined) throw new Error(`gatewatch: ${place}: ${EXPECTED}, found ${describeFault(text)}`);
  return dsn;
}

/** Whether a text is a DSN. */
export function isDsn(text: string): boolean {
  return plainDsn(text) !== undefined;
}

/** Without the old secret; `undefined` where the text is no DSN. */
function plainDsn(text: string): string | undefined {
  const parts = DSN.exec(text)?.groups;
  const { scheme = '', key = '', host = '', port = '', path = '', project = '' } = parts ?? {};
  const dsn = `${scheme}://${key}@${host}${port === '' ? '' : `:${port}`}/${path}${project}`;
  // Also what only looks like a host, such as 10.0.0.256.
  return parts !== undefined && URL.canParse(dsn) && PATH.test(path) ? dsn : undefined;
}

/**
 * Where the project of a checked DSN takes envelopes.
 *
 * @param client who sends them
 */
export function readDsn(dsn: string, client = SENTRY_CLIENT): Dsn {
  const { origin, host, username: publicKey, pathname } = new URL(dsn);
  const [, prefix = '', projectId = ''] = /^(.*)\/(\d+)$/.exec(pathname) ?? [];
  const query = new URLSearchParams({
    sentry_version: PROTOCOL_VERSION,
    sentry_key: publicKey,
    sentry_client: client,
  });
  return {
    text: `${host}${prefix}/${projectId}`,
    publicKey,
    origin,
    path: `${prefix}/api/${projectId}/envelope/?${query.toString()}`,
  };
}

function describeFault(text: string): string {
  if (!/^https?:\/\//.test(text)) return 'one that does not begin with https:// or http://';
  if (!/^https?:\/\/\w+(?::\w*)?@/.test(text)) return 'one without a key before the host';
  if (!/\/\d+$/.test(text)) return 'one that does not end in a project number';
  return 'one whose host, port or path cannot be';
}
