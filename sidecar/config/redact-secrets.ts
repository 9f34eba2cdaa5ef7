// The last guard of the log: every secret of the configurations that were in force, and every part of one that tells it, is
// replaced by a mark in whatever is written. Shorter parts are left, since they are found in other words too: under 8
// characters of a password or token, under 16 of a path, whose steps are often words.
import type { Config } from './config';
import { Secret } from './secret';

const MIN_PASSWORD = 8;
const MIN_PATH = 16;

/** What every secret shows in its place. */
const MARK = new Secret('').toString();

export class SecretRedactor {
  /** The longest first, so that no part is replaced within a whole. */
  #parts: readonly string[] = [];

  /** From now on its secrets are replaced too. Those before it stay: a try with an old one may still be on its way. */
  add(config: Partial<Config>): void {
    const found = secretsOf(config)
      .flatMap((secret) => partsOf(secret.reveal()))
      // As it is, and as it stands within a JSON text.
      .flatMap((part) => [part, JSON.stringify(part).slice(1, -1)]);
    this.#parts = [...new Set([...this.#parts, ...found])].sort((a, b) => b.length - a.length);
  }

  redact(text: string): string {
    return this.#parts.reduce((redacted, part) => redacted.replaceAll(part, MARK), text);
  }
}

/** Every secret, wherever in the configuration it is. */
function secretsOf(value: unknown): Secret[] {
  if (value instanceof Secret) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(secretsOf);
}

function partsOf(secret: string): string[] {
  if (secret.startsWith('-----BEGIN ')) {
    return secret.split(/\r?\n/).filter((line) => !line.startsWith('-----') && line.length >= MIN_PATH);
  }
  const isUrl = /^https?:/.test(secret) && URL.canParse(secret);
  return [...(isUrl ? partsOfUrl(new URL(secret)) : []), ...(secret.length >= MIN_PASSWORD ? [secret] : [])];
}

function partsOfUrl(url: URL): string[] {
  const password = decodeURIComponent(url.password);
  const pair = `${decodeURIComponent(url.username)}:${password}`;
  const passwords = [
    url.password,
    password,
    ...(pair === ':' ? [] : [Buffer.from(pair).toString('base64')]),
    ...url.search
      .slice(1)
      .split('&')
      .map((pair) => pair.slice(pair.indexOf('=') + 1)),
    ...url.searchParams.values(),
  ];
  const paths = [`${url.pathname}${url.search}`, url.pathname, ...url.pathname.split('/')];
  return [
    url.href,
    ...passwords.filter((part) => part.length >= MIN_PASSWORD),
    // The key of a DSN. A name of a person or program is shorter.
    ...(url.password === '' && url.username.length >= MIN_PATH ? [url.username] : []),
    ...paths.filter((part) => part.length >= MIN_PATH),
  ];
}
