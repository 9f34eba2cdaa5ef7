// In: a value and its schema. Out: the value with Kong's defaults filled in, and every fault at once, worded as Kong's
// kong/db/schema/init.lua words them. Pure. A reference (`{vault://...}`) in a referenceable field is passed unchecked.
import { isPlainObject, type EntityCheck, type FieldSchema, type NamedField } from './field-schema';
import { luaPatternToRegExp } from './lua-pattern';

export type FieldPath = readonly (string | number)[];

/** One thing that is wrong, at one place. */
export interface SchemaFault {
  readonly path: FieldPath;
  readonly message: string;
  /** Absent where nothing stands, and where the field may hold a secret. */
  readonly found?: unknown;
}

/** True for `{vault://env/name}` and its like. */
export function isVaultReference(value: unknown): value is string {
  return typeof value === 'string' && /^\{vault:\/\/[^}]+\}$/.test(value);
}

/** Checks a mapping. The value is only to be used when there are no faults. */
export function checkRecord(
  fields: readonly NamedField[],
  input: Readonly<Record<string, unknown>>,
  path: FieldPath,
): { value: Record<string, unknown>; faults: SchemaFault[] } {
  const value: Record<string, unknown> = {};
  const faults: SchemaFault[] = [];
  const known = new Set<string>();
  for (const named of fields) {
    for (const [name, field] of Object.entries(named)) {
      known.add(name);
      const given = withDefault(field, input[name]);
      if (given === undefined) {
        if (field.required === true)
          faults.push({ path: [...path, name], message: 'required field missing' });
        continue;
      }
      const checked = checkField(field, given, [...path, name]);
      value[name] = checked.value;
      faults.push(...checked.faults);
    }
  }
  for (const [name, found] of Object.entries(input)) {
    if (!known.has(name)) faults.push({ path: [...path, name], message: 'unknown field', found });
  }
  return { value, faults };
}

function withDefault(field: FieldSchema, given: unknown): unknown {
  if (given !== undefined && given !== null) return given;
  if (field.default !== undefined) return structuredClone(field.default);
  return field.required === true && field.type === 'record' ? {} : undefined;
}

function checkField(
  field: FieldSchema,
  value: unknown,
  path: FieldPath,
): { value: unknown; faults: SchemaFault[] } {
  if (field.referenceable === true && isVaultReference(value)) return { value, faults: [] };
  const wrongType = typeFault(field, value);
  if (wrongType !== undefined) return { value, faults: [fault(field, value, path, wrongType)] };
  const inner = checkInside(field, value, path);
  if (inner.faults.length > 0) return inner;
  const broken = ruleFault(field, inner.value);
  return broken === undefined ? inner : { value, faults: [fault(field, value, path, broken)] };
}

function fault(field: FieldSchema, found: unknown, path: FieldPath, message: string): SchemaFault {
  return field.referenceable === true ? { path, message } : { path, message, found };
}

function typeFault(field: FieldSchema, value: unknown): string | undefined {
  switch (field.type) {
    case 'string':
      return typeof value === 'string' ? undefined : 'expected a string';
    case 'integer':
      return Number.isInteger(value) ? undefined : 'expected an integer';
    case 'number':
      return typeof value === 'number' ? undefined : 'expected a number';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'expected a boolean';
    case 'array':
      return Array.isArray(value) ? undefined : 'expected an array';
    case 'set':
      return Array.isArray(value) ? undefined : 'expected a set';
    case 'map':
      return isPlainObject(value) ? undefined : 'expected a map';
    case 'record':
      return isPlainObject(value) ? undefined : 'expected a record';
    case 'any':
      return undefined;
    default:
      return `invalid type: ${field.type}`;
  }
}

function checkInside(
  field: FieldSchema,
  value: unknown,
  path: FieldPath,
): { value: unknown; faults: SchemaFault[] } {
  if (field.type === 'record' && isPlainObject(value)) {
    const checked = checkRecord(field.fields ?? [], value, path);
    const broken = (field.entity_checks ?? []).flatMap((check) => entityFault(check, checked.value) ?? []);
    return { ...checked, faults: [...checked.faults, ...broken.map((message) => ({ path, message }))] };
  }
  if (Array.isArray(value) && field.elements !== undefined) {
    const { elements } = field;
    const members: unknown[] = field.type === 'set' ? [...new Set<unknown>(value)] : value;
    const checked = members.map((member, index) => checkField(elements, member, [...path, index]));
    return {
      value: checked.map((member) => member.value),
      faults: checked.flatMap((member) => member.faults),
    };
  }
  if (field.type === 'map' && isPlainObject(value)) {
    const faults: SchemaFault[] = [];
    const result: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(value)) {
      if (field.keys !== undefined) faults.push(...checkField(field.keys, key, [...path, key]).faults);
      const checked =
        field.values === undefined
          ? { value: member, faults: [] }
          : checkField(field.values, member, [...path, key]);
      result[key] = checked.value;
      faults.push(...checked.faults);
    }
    return { value: result, faults };
  }
  return { value, faults: [] };
}

function entityFault(check: EntityCheck, value: Readonly<Record<string, unknown>>): string | undefined {
  const filled = (names: readonly string[]): string[] => names.filter((name) => isNonEmpty(value[name]));
  if ('at_least_one_of' in check) {
    const names = check.at_least_one_of;
    if (filled(names).length > 0) return undefined;
    return `at least one of these fields must be non-empty: ${quotedList(names)}`;
  }
  const { set1, set2 } = check.mutually_exclusive_sets;
  const [first, second] = [filled(set1), filled(set2)];
  if (first.length === 0 || second.length === 0) return undefined;
  return `these sets are mutually exclusive: (${quotedList(first)}), (${quotedList(second)})`;
}

function quotedList(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}

/** As Kong means it: `false` and 0 are something. */
function isNonEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** The first rule that a value of the right type breaks, in Kong's order. */
function ruleFault(field: FieldSchema, value: unknown): string | undefined {
  if (field.eq !== undefined && value !== field.eq) return `value must be ${String(field.eq)}`;
  if (field.ne !== undefined && value === field.ne) return `value must not be ${String(field.ne)}`;
  if (field.not_one_of?.some((option) => option === value) === true) {
    return `must not be one of: ${field.not_one_of.join(', ')}`;
  }
  if (field.one_of !== undefined && !field.one_of.some((option) => option === value)) {
    return `expected one of: ${field.one_of.join(', ')}`;
  }
  if (typeof value === 'number') {
    if (field.gt !== undefined && value <= field.gt) return `value must be greater than ${field.gt}`;
    if (field.between !== undefined && (value < field.between[0] || value > field.between[1])) {
      return `value should be between ${field.between[0]} and ${field.between[1]}`;
    }
  }
  const length = lengthOf(field, value);
  if (length !== undefined) {
    // An empty string is refused unless the schema allows it.
    const least = field.len_min ?? (field.type === 'string' ? 1 : undefined);
    if (field.len_eq !== undefined && length !== field.len_eq) return `length must be ${field.len_eq}`;
    if (least !== undefined && length < least) return `length must be at least ${least}`;
    if (field.len_max !== undefined && length > field.len_max)
      return `length must be at most ${field.len_max}`;
  }
  return typeof value === 'string' ? textFault(field, value) : undefined;
}

function textFault(field: FieldSchema, value: string): string | undefined {
  if (field.uuid === true && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) {
    return 'expected a valid UUID';
  }
  if (field.starts_with !== undefined && !value.startsWith(field.starts_with)) {
    return `should start with: ${field.starts_with}`;
  }
  if (field.not_match !== undefined && luaPatternToRegExp(field.not_match).test(value)) {
    return `invalid value: ${value}`;
  }
  if (field.match !== undefined && !luaPatternToRegExp(field.match).test(value))
    return `invalid value: ${value}`;
  const { match_any: any } = field;
  if (any !== undefined && !any.patterns.some((pattern) => luaPatternToRegExp(pattern).test(value)))
    return any.err ?? `invalid value: ${value}`;
  return undefined;
}

function lengthOf(field: FieldSchema, value: unknown): number | undefined {
  if (field.type === 'string' && typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  return field.type === 'map' && isPlainObject(value) ? Object.keys(value).length : undefined;
}
