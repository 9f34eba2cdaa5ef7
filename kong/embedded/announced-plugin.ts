// In: what a plugin server's query command printed. Out: the plugins it announces, with the schemas of their
// configurations. The form is kong-pdk's: a JSON array, or an object whose `Plugins` is that array.
import { isPlainObject, readFieldList, SchemaFormFault, type NamedField } from './field-schema';

/** One plugin that a plugin server runs. */
export interface AnnouncedPlugin {
  readonly name: string;
  readonly version: string;
  readonly priority: number;
  readonly phases: readonly string[];
  readonly configFields: readonly NamedField[];
}

/** An answer that is not a plugin list; the message starts as Kong's does. */
export class PluginDumpFault extends Error {}

/**
 * Reads the dump.
 *
 * @param command for messages
 * @throws PluginDumpFault
 */
export function readPluginDump(output: string, command: string): AnnouncedPlugin[] {
  let dump: unknown;
  try {
    dump = JSON.parse(output);
  } catch {
    dump = undefined;
  }
  const list: unknown = isPlainObject(dump) ? dump.Plugins : dump;
  if (!Array.isArray(list)) {
    const found = output.trim() === '' ? 'nothing' : output.slice(0, 500);
    throw new PluginDumpFault(
      `Not a plugin info table: expected one JSON array on the stdout of\n${command}\nfound:\n${found}`,
    );
  }
  if (isPlainObject(dump) && dump.Protocol !== undefined && dump.Protocol !== 'MsgPack:1') {
    throw new PluginDumpFault(
      `${command}: expected the protocol MsgPack:1, found ${JSON.stringify(dump.Protocol)}`,
    );
  }
  try {
    return list.map((entry: unknown, index) => readPlugin(entry, `plugin ${index + 1}`));
  } catch (error) {
    if (error instanceof SchemaFormFault) throw new PluginDumpFault(`${command}: ${error.message}`);
    throw error;
  }
}

function readPlugin(entry: unknown, place: string): AnnouncedPlugin {
  if (!isPlainObject(entry) || typeof entry.Name !== 'string' || entry.Name === '') {
    throw new SchemaFormFault(`${place}: expected an object with a Name`);
  }
  const { Name: name, Schema: schema } = entry;
  const fields: unknown = isPlainObject(schema) ? schema.fields : undefined;
  const members: unknown[] = Array.isArray(fields) ? fields : [];
  const config: unknown = members.filter(isPlainObject).find((member) => member.config !== undefined)?.config;
  if (!isPlainObject(config)) {
    throw new SchemaFormFault(`${place} (${name}): expected Schema.fields with a config record`);
  }
  return {
    name,
    version: typeof entry.Version === 'string' ? entry.Version : '',
    priority: typeof entry.Priority === 'number' ? entry.Priority : 0,
    phases: Array.isArray(entry.Phases) ? entry.Phases.filter((phase) => typeof phase === 'string') : [],
    configFields: readFieldList(config.fields ?? [], `${name}: config.fields`),
  };
}
