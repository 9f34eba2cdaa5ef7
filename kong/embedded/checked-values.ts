// Reads typed members out of a record that a schema has already accepted. A value of another type here means that
// schema and reader disagree, which is a programming error and throws.
import { isPlainObject } from './field-schema';

export type CheckedRecord = Readonly<Record<string, unknown>>;

/** @throws TypeError when it is not a string */
export function requiredText(record: CheckedRecord, key: string): string {
  const value = record[key];
  if (typeof value !== 'string') throw new TypeError(`checked value '${key}' is not a string`);
  return value;
}

/** The string, or nothing. */
export function optionalText(record: CheckedRecord, key: string): string | undefined {
  const value = record[key];
  return typeof value === 'string' ? value : undefined;
}

/** @throws TypeError when it is not a number */
export function requiredNumber(record: CheckedRecord, key: string): number {
  const value = record[key];
  if (typeof value !== 'number') throw new TypeError(`checked value '${key}' is not a number`);
  return value;
}

/** @throws TypeError when it is not a boolean */
export function requiredFlag(record: CheckedRecord, key: string): boolean {
  const value = record[key];
  if (typeof value !== 'boolean') throw new TypeError(`checked value '${key}' is not a boolean`);
  return value;
}

/** The strings of a list, or nothing where there is none or it is empty. */
export function optionalTexts(record: CheckedRecord, key: string): readonly string[] | undefined {
  const value = record[key];
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((member) => typeof member === 'string');
  return texts.length > 0 ? texts : undefined;
}

/** The mappings of a list, each with its index in the file; none where there is no list. */
export function recordsOf(record: CheckedRecord, key: string): { index: number; record: CheckedRecord }[] {
  const value = record[key];
  if (!Array.isArray(value)) return [];
  return value.flatMap((member: unknown, index) =>
    isPlainObject(member) ? [{ index, record: member }] : [],
  );
}
