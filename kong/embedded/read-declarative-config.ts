// In: the text of a declarative configuration (format 3.0) and what is known of plugins. Out: the gateway's
// configuration. Every fault of the file is reported in one DeclarativeConfigFault. Pure; the caller gives the time.
import { createHash } from 'node:crypto';
import { checkRecord, type FieldPath, type SchemaFault } from './check-against-schema';
import { optionalText, recordsOf, type CheckedRecord } from './checked-values';
import { DeclarativeConfigFault, describeConfigFaults, parseLocated } from './describe-config-faults';
import { DECLARATIVE_FIELDS, IGNORED_COLLECTIONS } from './entity-schemas';
import { referenceName } from './entity-reference';
import { isPlainObject } from './field-schema';
import type { GatewayConfig, Route, Service } from './kong-entities';
import { readPlugins, type KnownPlugins, type ScopedPlugin } from './read-plugins';
import { readRoute } from './read-route';
import { readService } from './read-service';
import { readUpstreams } from './read-upstreams';

/**
 * Reads, checks and links a file's entities.
 *
 * @param file its path, for messages
 * @param nowS seconds since 1970, for `created_at` and `updated_at`
 * @throws DeclarativeConfigFault with every fault of the file
 */
export function readDeclarativeConfig(
  text: string,
  file: string,
  known: KnownPlugins,
  nowS: number,
): GatewayConfig {
  const document = parseLocated(text, file);
  if (!isPlainObject(document.content)) {
    throw new DeclarativeConfigFault(
      `error parsing declarative config file ${file}:\n${file}:1:1: expected a mapping, found another thing`,
    );
  }
  const checked = checkRecord(DECLARATIVE_FIELDS, document.content, []);
  const faults: SchemaFault[] = [...checked.faults];
  // Entities are only linked once their shapes are right, but plugin configurations are checked in any case.
  const linked = faults.length === 0 ? linkEntities(checked.value, nowS, faults) : undefined;
  const warnings = IGNORED_COLLECTIONS.filter((collection) => checked.value[collection] !== undefined).map(
    (collection) => `'${collection}' of ${file} are ignored by this stand-in`,
  );
  const scoped = linked?.plugins ?? pluginsOfBrokenFile(checked.value);
  const plugins = readPlugins(scoped, known, faults, warnings);
  if (faults.length > 0 || linked === undefined) throw describeConfigFaults(faults, document);
  return {
    services: linked.services,
    routes: linked.routes,
    upstreams: linked.upstreams,
    plugins,
    hash: createHash('md5').update(text).digest('hex'),
    warnings,
  };
}

function linkEntities(content: CheckedRecord, nowS: number, faults: SchemaFault[]) {
  const services = new Map<string, Service>();
  const routes = new Map<string, Route>();
  const plugins: ScopedPlugin[] = [];

  const addRoute = (entry: CheckedRecord, path: FieldPath, service: Service | undefined): void => {
    const route = readRoute(entry, path, service, nowS, faults);
    register(routes, route, 'routes', path, faults);
    for (const plugin of recordsOf(entry, 'plugins')) {
      plugins.push({ entry: plugin.record, path: [...path, 'plugins', plugin.index], routeId: route.id });
    }
  };

  for (const { index, record } of recordsOf(content, 'services')) {
    const path: FieldPath = ['services', index];
    const service = readService(record, path, nowS, faults);
    if (service === undefined) continue;
    register(services, service, 'services', path, faults);
    for (const route of recordsOf(record, 'routes')) {
      addRoute(route.record, [...path, 'routes', route.index], service);
    }
    for (const plugin of recordsOf(record, 'plugins')) {
      plugins.push({ entry: plugin.record, path: [...path, 'plugins', plugin.index], serviceId: service.id });
    }
  }
  for (const { index, record } of recordsOf(content, 'routes')) {
    const path: FieldPath = ['routes', index];
    addRoute(record, path, refer(record, 'service', services, path, faults));
  }
  for (const { index, record } of recordsOf(content, 'plugins')) {
    const path: FieldPath = ['plugins', index];
    const serviceId = refer(record, 'service', services, path, faults)?.id;
    const routeId = refer(record, 'route', routes, path, faults)?.id;
    plugins.push({
      entry: record,
      path,
      ...(serviceId === undefined ? {} : { serviceId }),
      ...(routeId === undefined ? {} : { routeId }),
    });
  }
  return {
    services: distinct(services),
    routes: distinct(routes),
    upstreams: readUpstreams(content, faults),
    plugins,
  };
}

/** Makes an entity findable by id and by name. */
function register<E extends { readonly id: string; readonly name?: string }>(
  entities: Map<string, E>,
  entity: E,
  collection: string,
  path: FieldPath,
  faults: SchemaFault[],
): void {
  for (const [field, key] of [
    ['id', entity.id],
    ['name', entity.name],
  ] as const) {
    if (key === undefined) continue;
    const holder = entities.get(key);
    if (holder !== undefined && holder !== entity) {
      const message = `uniqueness violation: '${collection}' entity with ${field} set to '${key}' already declared`;
      faults.push({ path: [...path, field], message });
    }
    entities.set(key, entity);
  }
}

function refer<E>(
  entry: CheckedRecord,
  key: 'service' | 'route',
  entities: ReadonlyMap<string, E>,
  path: FieldPath,
  faults: SchemaFault[],
): E | undefined {
  const value = entry[key];
  if (value === undefined) return undefined;
  const name = referenceName(value);
  const entity = name === undefined ? undefined : entities.get(name);
  if (entity === undefined) {
    const message = `invalid reference '${key}: ${name ?? ''}' (no such entry in '${key}s')`;
    faults.push({ path: [...path, key], message, found: value });
  }
  return entity;
}

function distinct<E>(entities: ReadonlyMap<string, E>): E[] {
  return [...new Set(entities.values())];
}

/** The plugin entries of a file whose other entities cannot be linked, as far as they have a name. */
function pluginsOfBrokenFile(content: CheckedRecord): ScopedPlugin[] {
  const found: ScopedPlugin[] = [];
  const collect = (record: CheckedRecord, path: FieldPath): void => {
    for (const plugin of recordsOf(record, 'plugins')) {
      const entry = { ...plugin.record, enabled: true };
      const place: FieldPath = [...path, 'plugins', plugin.index];
      // A made-up scope: two entries of a broken file are not to look like the same one.
      if (optionalText(entry, 'name') !== undefined)
        found.push({ entry, path: place, routeId: place.join('.') });
    }
    for (const key of ['services', 'routes']) {
      for (const inner of recordsOf(record, key)) collect(inner.record, [...path, key, inner.index]);
    }
  };
  collect(content, []);
  return found;
}
