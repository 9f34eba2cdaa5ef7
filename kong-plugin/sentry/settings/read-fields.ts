// One field of a configuration at a time, without trust: what is not set is `undefined` or the default, and what is something
// else than the schema wants is refused with its place.
import type { NumberSetting } from './sentry-schema';

export type Fields = Readonly<Record<string, unknown>>;

export function textOf(fields: Fields, name: string, place: string): string | undefined {
  const value = fields[name];
  if (!isSet(value) || value === '') return undefined;
  return typeof value === 'string' ? value : refuse(`${place}.${name}`, 'a text', value);
}

export function wordOf<Word extends string>(
  fields: Fields,
  name: string,
  place: string,
  words: readonly Word[],
): Word | undefined {
  const value = fields[name];
  if (!isSet(value)) return undefined;
  return (
    words.find((word) => word === value) ?? refuse(`${place}.${name}`, `one of ${words.join(', ')}`, value)
  );
}

export function flagOf(fields: Fields, name: string, place: string, standard: boolean): boolean {
  const value = isSet(fields[name]) ? fields[name] : standard;
  return typeof value === 'boolean' ? value : refuse(`${place}.${name}`, 'true or false', value);
}

export function wholeOf(fields: Fields, name: string, place: string, setting: NumberSetting): number {
  const [least, most] = setting.between;
  const value = numberOf(fields, name, place, setting);
  return Number.isInteger(value)
    ? value
    : refuse(`${place}.${name}`, `a whole number from ${least} to ${most}`, value);
}

export function numberOf(fields: Fields, name: string, place: string, setting: NumberSetting): number {
  const [least, most] = setting.between;
  const value = isSet(fields[name]) ? fields[name] : setting.default;
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    refuse(`${place}.${name}`, `a number from ${least} to ${most}`, value);
  }
  return value;
}

/** Kong's JSON has an empty list as a map. */
export function listOf(value: unknown, place: string): readonly unknown[] {
  if (!isSet(value)) return [];
  if (Array.isArray(value)) return value;
  if (typeof value === 'object' && Object.keys(value).length === 0) return [];
  return refuse(place, 'a list', value);
}

export function recordOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** Kong hands an unset field over as null, or not at all. */
export function isSet(value: unknown): value is string | number | boolean | object {
  return value !== undefined && value !== null;
}

export function refuse(place: string, expected: string, found: unknown): never {
  const shown = found === undefined ? 'nothing' : JSON.stringify(found);
  throw new Error(`gatewatch: ${place}: expected ${expected}, found ${shown.slice(0, 100)}`);
}
