// In: how one entry of a declarative file names another: `name`, `{ name: ... }` or `{ id: ... }`.
// Out: the name or id, or nothing where it is none of these.
import { isPlainObject } from './field-schema';

/** The name or id that is referred to. */
export function referenceName(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isPlainObject(value)) return undefined;
  const name = value.name ?? value.id;
  return typeof name === 'string' ? name : undefined;
}
