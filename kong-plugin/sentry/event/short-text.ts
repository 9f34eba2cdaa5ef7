// From a name to one that Sentry takes: it discards a tag, and cuts a transaction's name, of more than 200 characters
// (https://docs.sentry.io/platforms/javascript/guides/node/enriching-events/tags/). Two long names of one beginning stay apart.
import { createHash } from 'node:crypto';

export const MAX_CHARACTERS = 200;

const HASH_DIGITS = 12;

/** @param text without control characters, such as `labelText` gives */
export function shortText(text: string): string {
  if (text.length <= MAX_CHARACTERS) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
  const beginning = text.slice(0, MAX_CHARACTERS - HASH_DIGITS - 1);
  return `${/[\ud800-\udbff]$/.test(beginning) ? beginning.slice(0, -1) : beginning}…${hash}`;
}
