// What is given either by itself or as a file, and of which there must be one.
import { isGiven, type PlacedFault } from '../placed-fault';

/** Exactly one of the keys, as itself or as `<key>_file`. */
export function checkOneOf(
  channel: Record<string, unknown>,
  at: readonly (string | number)[],
  keys: readonly string[],
): PlacedFault[] {
  const all = keys.flatMap((key) => [key, `${key}_file`]);
  const given = all.filter((key) => isGiven(channel[key]));
  const [, second] = given;
  if (second !== undefined)
    return [{ path: [...at, second], expected: inWords(given), found: given.length === 2 ? 'both' : 'all' }];
  return given.length === 1 ? [] : [{ path: at, expected: inWords(all), found: 'none of them' }];
}

/** At most one of `key` and `<key>_file`. */
export function checkNotBoth(
  channel: Record<string, unknown>,
  at: readonly (string | number)[],
  key: string,
): PlacedFault[] {
  if (!isGiven(channel[key]) || !isGiven(channel[`${key}_file`])) return [];
  return [{ path: [...at, `${key}_file`], expected: `${key} or ${key}_file`, found: 'both' }];
}

function inWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
