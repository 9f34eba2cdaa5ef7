// A Kong schema as data: the form in which a plugin server announces a plugin's configuration, and in which this
// gateway writes down the entities it knows. Attribute names are Kong's own, for they come over the wire.

/** An attribute list such as `[{ retries: { type: 'integer' } }]`: one key each, in order. */
export type NamedField = Readonly<Record<string, FieldSchema>>;

/** What a value must be. Attributes that Kong knows and this gateway does not are not carried. */
export interface FieldSchema {
  /** `string`, `integer`, `number`, `boolean`, `array`, `set`, `map`, `record` or `any`. */
  readonly type: string;
  readonly required?: boolean;
  readonly default?: unknown;
  /** May hold `{vault://...}`; its value is never printed. */
  readonly referenceable?: boolean;
  readonly eq?: string | number | boolean;
  readonly ne?: string | number | boolean;
  readonly gt?: number;
  readonly between?: readonly [number, number];
  readonly one_of?: readonly (string | number | boolean)[];
  readonly not_one_of?: readonly (string | number | boolean)[];
  readonly len_eq?: number;
  readonly len_min?: number;
  readonly len_max?: number;
  readonly starts_with?: string;
  /** Lua patterns. */
  readonly match?: string;
  readonly not_match?: string;
  readonly match_any?: { readonly patterns: readonly string[]; readonly err?: string };
  readonly uuid?: boolean;
  readonly elements?: FieldSchema;
  readonly keys?: FieldSchema;
  readonly values?: FieldSchema;
  readonly fields?: readonly NamedField[];
  readonly entity_checks?: readonly EntityCheck[];
}

/** What must hold of several fields of a record. Other checks of Kong are not carried. */
export type EntityCheck =
  | { readonly at_least_one_of: readonly string[] }
  | {
      readonly mutually_exclusive_sets: {
        readonly set1: readonly string[];
        readonly set2: readonly string[];
      };
    };

/** A schema that cannot be used; the message names the place in it. */
export class SchemaFormFault extends Error {}

/**
 * Reads a schema's field list from JSON.
 *
 * @param place how messages name the list
 * @throws SchemaFormFault
 */
export function readFieldList(value: unknown, place: string): NamedField[] {
  if (!Array.isArray(value)) throw new SchemaFormFault(`${place}: expected an array of fields`);
  return value.map((entry: unknown, index) => {
    const keys = isPlainObject(entry) ? Object.keys(entry) : [];
    const [name] = keys;
    if (!isPlainObject(entry) || name === undefined || keys.length !== 1) {
      throw new SchemaFormFault(`${place}[${index}]: expected an object with one key, the field's name`);
    }
    return { [name]: readField(entry[name], `${place}.${name}`) };
  });
}

function readField(value: unknown, place: string): FieldSchema {
  if (!isPlainObject(value) || typeof value.type !== 'string') {
    throw new SchemaFormFault(`${place}: expected an object with a type`);
  }
  const field: Record<string, unknown> = { type: value.type };
  if (value.default !== undefined && value.default !== null) field.default = value.default;
  for (const key of ['required', 'referenceable', 'uuid']) if (value[key] === true) field[key] = true;
  for (const key of ['eq', 'ne']) if (isScalar(value[key])) field[key] = value[key];
  for (const key of ['gt', 'len_eq', 'len_min', 'len_max'])
    copyOf(value, key, isNumber, field, place, 'a number');
  for (const key of ['starts_with', 'match', 'not_match'])
    copyOf(value, key, isString, field, place, 'a string');
  copyOf(value, 'match_any', isPatternList, field, place, 'patterns');
  copyOf(value, 'between', isRange, field, place, 'two numbers');
  for (const key of ['one_of', 'not_one_of'])
    copyOf(value, key, isScalarList, field, place, 'an array of scalars');
  for (const key of ['elements', 'keys', 'values']) {
    if (value[key] !== undefined) field[key] = readField(value[key], `${place}.${key}`);
  }
  if (value.fields !== undefined) field.fields = readFieldList(value.fields, `${place}.fields`);
  if (Array.isArray(value.entity_checks)) {
    field.entity_checks = value.entity_checks.map((check: unknown, index) =>
      readEntityCheck(check, `${place}.entity_checks[${index}]`),
    );
  }
  return field as unknown as FieldSchema;
}

function readEntityCheck(value: unknown, place: string): EntityCheck {
  if (isPlainObject(value) && isTextList(value.at_least_one_of)) {
    return { at_least_one_of: value.at_least_one_of };
  }
  const sets = isPlainObject(value) ? value.mutually_exclusive_sets : undefined;
  if (isPlainObject(sets) && isTextList(sets.set1) && isTextList(sets.set2)) {
    return { mutually_exclusive_sets: { set1: sets.set1, set2: sets.set2 } };
  }
  throw new SchemaFormFault(`${place}: expected at_least_one_of or mutually_exclusive_sets`);
}

function copyOf(
  from: Readonly<Record<string, unknown>>,
  key: string,
  accepts: (value: unknown) => boolean,
  to: Record<string, unknown>,
  place: string,
  expected: string,
): void {
  if (from[key] === undefined || from[key] === null) return;
  if (!accepts(from[key])) throw new SchemaFormFault(`${place}.${key}: expected ${expected}`);
  to[key] = from[key];
}

/** A JSON or YAML mapping: neither null nor an array. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function isPatternList(value: unknown): boolean {
  return isPlainObject(value) && Array.isArray(value.patterns) && value.patterns.every(isString);
}

function isRange(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isNumber);
}

function isScalarList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isScalar);
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString);
}
