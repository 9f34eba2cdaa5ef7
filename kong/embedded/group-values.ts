// In: header lines and query arguments as sent. Out: mappings as in Kong's log: a name sent more than once has an
// array, a query argument without `=` is `true`, `+` and percent escapes are decoded. Pure.
import type { RawHeaders } from './exchange';

type Grouped<V> = Record<string, V | V[]>;

/** Names in lower case. */
export function groupHeaders(headers: RawHeaders): Grouped<string> {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    pairs.push([headers[index]?.toLowerCase() ?? '', headers[index + 1] ?? '']);
  }
  return group(pairs);
}

/** The arguments of a URI; what is no valid percent escape stays as it is. */
export function parseQuery(uri: string): Grouped<string | true> {
  const start = uri.indexOf('?');
  if (start < 0) return {};
  const pairs = uri
    .slice(start + 1)
    .split('&')
    .filter((part) => part !== '')
    .map((part): [string, string | true] => {
      const equals = part.indexOf('=');
      return equals < 0
        ? [unescapeArgument(part), true]
        : [unescapeArgument(part.slice(0, equals)), unescapeArgument(part.slice(equals + 1))];
    });
  return group(pairs);
}

/** The two headers that Kong hides by default. */
export function redactCredentials(headers: Grouped<string>): Grouped<string> {
  for (const name of ['authorization', 'proxy-authorization']) {
    if (headers[name] !== undefined) headers[name] = 'REDACTED';
  }
  return headers;
}

function group<V>(pairs: readonly (readonly [string, V])[]): Grouped<V> {
  // Without a prototype: `__proto__` is a name like any other.
  const grouped = Object.create(null) as Grouped<V>;
  for (const [name, value] of pairs) {
    const held = grouped[name];
    if (held === undefined) grouped[name] = value;
    else if (Array.isArray(held)) held.push(value);
    else grouped[name] = [held, value];
  }
  return grouped;
}

function unescapeArgument(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
