// A DSN: where a project of Sentry takes envelopes, and the key that lets them in. It is refused here, with what is wrong: the
// SDK would print the whole of it and go on without. No message shows any of it.

export interface Dsn {
  /** To name the project in messages: host and project id. */
  readonly text: string;
  readonly publicKey: string;
  readonly origin: string;
  /** With the query that authenticates; not to be printed. */
  readonly path: string;
}

/** As the SDK names itself; the version is the installed one. */
export const SENTRY_CLIENT = 'sentry.javascript.node/11.1.0';

const PROTOCOL_VERSION = '7';
/** What the SDK reads (utils/dsn.js of @sentry/core 11.1.0), with nothing behind the project id. */
const FORM = /^https?:\/\/\w+(?::\w*)?@(?:\[[:.%\w]+\]|[\w.-]+)(?::\d+)?\/(?:\S+\/)?\d+$/;

/**
 * @returns the same text
 * @throws Error naming what is wrong with it
 */
export function checkDsn(text: string): string {
  readDsn(text);
  return text;
}

/** @throws Error naming what is wrong with it */
export function readDsn(text: string): Dsn {
  if (!URL.canParse(text)) throw refusal('something that is no URL');
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) throw refusal('another protocol than http and https');
  if (url.username === '') throw refusal('no public key before the host');
  if (!/^\w+$/.test(url.username)) throw refusal('a public key that is not of letters and digits');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    throw refusal('a ? or a # behind the project id');
  }
  const [, prefix = '', projectId = ''] = /^(.*)\/([^/]*)$/.exec(url.pathname) ?? [];
  if (projectId === '') throw refusal('no project id behind the last slash');
  if (!/^\d+$/.test(projectId)) throw refusal('a project id that is not a number');
  if (!FORM.test(text)) throw refusal('something that the SDK does not read');
  const query = new URLSearchParams({
    sentry_version: PROTOCOL_VERSION,
    sentry_key: url.username,
    sentry_client: SENTRY_CLIENT,
  });
  return {
    text: `${url.host}${prefix}/${projectId}`,
    publicKey: url.username,
    origin: url.origin,
    path: `${prefix}/api/${projectId}/envelope/?${query.toString()}`,
  };
}

function refusal(found: string): Error {
  return new Error(`expected a DSN such as https://<public key>@<host>/<project id>, found ${found}`);
}
