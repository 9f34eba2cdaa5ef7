// In: every `plugins` entry of a declarative file with its scope, and the plugins that are known. Out: the instances
// to run, with checked configurations and resolved references; faults; warnings for what is ignored.
// A plugin that nobody runs is ignored with a warning; one that is run but not in KONG_PLUGINS is refused as by Kong.
import { checkRecord, type FieldPath, type SchemaFault } from './check-against-schema';
import { optionalText, requiredFlag, requiredText, type CheckedRecord } from './checked-values';
import { entityId } from './entity-id';
import { isPlainObject, type NamedField } from './field-schema';
import type { PluginInstance } from './kong-entities';
import { resolveReferences } from './resolve-references';

/** What is known of plugins when a file is read. */
export interface KnownPlugins {
  /** Name to the fields of its configuration: the built-in ones and those that plugin servers announce. */
  readonly schemas: ReadonlyMap<string, readonly NamedField[]>;
  /** The names in KONG_PLUGINS; `bundled` stands for the built-in ones. */
  readonly enabled: ReadonlySet<string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A `plugins` entry and where it applies. */
export interface ScopedPlugin {
  readonly entry: CheckedRecord;
  readonly path: FieldPath;
  readonly serviceId?: string;
  readonly routeId?: string;
}

/** Adds to `faults` and `warnings`. */
export function readPlugins(
  entries: readonly ScopedPlugin[],
  known: KnownPlugins,
  faults: SchemaFault[],
  warnings: string[],
): PluginInstance[] {
  const unknown = new Set<string>();
  const ids = new Set<string>();
  const instances: PluginInstance[] = [];
  for (const { entry, path, serviceId, routeId } of entries) {
    const name = requiredText(entry, 'name');
    const fields = known.schemas.get(name);
    if (fields === undefined) {
      unknown.add(name);
      continue;
    }
    if (!known.enabled.has(name)) {
      const message = `plugin '${name}' not enabled; add it to the 'plugins' configuration property (KONG_PLUGINS)`;
      faults.push({ path: [...path, 'name'], message });
      continue;
    }
    if (entry.consumer !== undefined) {
      warnings.push(`plugin '${name}' on a consumer never applies: there are no consumers here`);
      continue;
    }
    const given = entry.config ?? {};
    if (!isPlainObject(given)) {
      faults.push({ path: [...path, 'config'], message: 'expected a record', found: given });
      continue;
    }
    const checked = checkRecord(fields, given, [...path, 'config']);
    faults.push(...checked.faults);
    const resolved = resolveReferences(fields, checked.value, known.environment);
    warnings.push(...resolved.warnings.map((warning) => `plugin '${name}': ${warning}`));
    const key = `plugins:${name}:${routeId ?? ''}:${serviceId ?? ''}::`;
    const id = optionalText(entry, 'id') ?? entityId('plugins', key);
    if (ids.has(id)) {
      faults.push({
        path,
        message: `uniqueness violation: plugin '${name}' is already declared for this scope`,
      });
    }
    ids.add(id);
    if (!requiredFlag(entry, 'enabled')) continue;
    instances.push({
      id,
      name,
      ...(serviceId === undefined ? {} : { serviceId }),
      ...(routeId === undefined ? {} : { routeId }),
      config: resolved.config,
      references: resolved.references,
    });
  }
  if (unknown.size > 0) {
    warnings.push(
      `ignored, since neither this stand-in nor a plugin server runs them: ${[...unknown].join(', ')}`,
    );
  }
  return instances;
}
