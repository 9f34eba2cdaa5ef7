// In: a checked plugin configuration, its schema and the environment. Out: the configuration with every
// `{vault://env/name}` of a referenceable field replaced, as Kong's env vault does: `-` becomes `_`, upper case.
// Where nothing can be resolved the value is the empty string, as in Kong, and a warning names the field. Pure.
import { isVaultReference } from './check-against-schema';
import { isPlainObject, type FieldSchema, type NamedField } from './field-schema';

/** A configuration without references. */
export interface ResolvedConfig {
  readonly config: Readonly<Record<string, unknown>>;
  /** Dotted field path to the reference that stood there. */
  readonly references: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** @param environment such as `process.env` */
export function resolveReferences(
  fields: readonly NamedField[],
  config: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): ResolvedConfig {
  const references: Record<string, string> = {};
  const warnings: string[] = [];
  const resolveRecord = (
    members: readonly NamedField[],
    value: Readonly<Record<string, unknown>>,
    path: string,
  ): Record<string, unknown> => {
    const result: Record<string, unknown> = { ...value };
    for (const named of members) {
      for (const [name, field] of Object.entries(named)) {
        if (value[name] !== undefined) result[name] = resolveField(field, value[name], `${path}${name}`);
      }
    }
    return result;
  };
  const resolveField = (field: FieldSchema, value: unknown, path: string): unknown => {
    if (field.referenceable === true && isVaultReference(value)) {
      references[path] = value;
      const resolved = environmentValue(value, environment);
      if (resolved === undefined)
        warnings.push(`unable to resolve reference ${value} of '${path}': it is empty`);
      return resolved ?? '';
    }
    if (field.type === 'record' && isPlainObject(value)) {
      return resolveRecord(field.fields ?? [], value, `${path}.`);
    }
    if (Array.isArray(value) && field.elements !== undefined) {
      const { elements } = field;
      return value.map((member: unknown, index) => resolveField(elements, member, `${path}.${index + 1}`));
    }
    return value;
  };
  return { config: resolveRecord(fields, config, ''), references, warnings };
}

function environmentValue(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const name = /^\{vault:\/\/env\/([A-Za-z0-9_-]+)\}$/.exec(reference)?.[1];
  return name === undefined ? undefined : environment[name.replaceAll('-', '_').toUpperCase()];
}
