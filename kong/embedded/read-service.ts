// In: one checked `services` entry. Out: the service, or the faults that a schema cannot express (its address).
import type { FieldPath, SchemaFault } from './check-against-schema';
import {
  optionalText,
  optionalTexts,
  requiredFlag,
  requiredNumber,
  requiredText,
  type CheckedRecord,
} from './checked-values';
import { entityId } from './entity-id';
import type { Service } from './kong-entities';

interface Address {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path?: string;
}

/** Adds to `faults` and gives nothing when the entry has no usable address. */
export function readService(
  entry: CheckedRecord,
  path: FieldPath,
  createdAtS: number,
  faults: SchemaFault[],
): Service | undefined {
  const address = readAddress(entry, path, faults);
  if (address === undefined) return undefined;
  const name = optionalText(entry, 'name');
  const tags = optionalTexts(entry, 'tags');
  return {
    id: optionalText(entry, 'id') ?? entityId('services', name ?? JSON.stringify(path)),
    ...(name === undefined ? {} : { name }),
    ...address,
    retries: requiredNumber(entry, 'retries'),
    connectTimeoutMs: requiredNumber(entry, 'connect_timeout'),
    readTimeoutMs: requiredNumber(entry, 'read_timeout'),
    writeTimeoutMs: requiredNumber(entry, 'write_timeout'),
    enabled: requiredFlag(entry, 'enabled'),
    ...(tags === undefined ? {} : { tags }),
    createdAtS,
  };
}

function readAddress(entry: CheckedRecord, path: FieldPath, faults: SchemaFault[]): Address | undefined {
  const url = optionalText(entry, 'url');
  if (url === undefined) {
    const host = optionalText(entry, 'host');
    if (host === undefined) {
      faults.push({ path: [...path, 'host'], message: 'required field missing' });
      return undefined;
    }
    const servicePath = optionalText(entry, 'path');
    return {
      protocol: requiredText(entry, 'protocol') === 'https' ? 'https' : 'http',
      host,
      port: requiredNumber(entry, 'port'),
      ...(servicePath === undefined ? {} : { path: servicePath }),
    };
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hostname === '' || !/^https?:$/.test(parsed.protocol)) {
    faults.push({
      path: [...path, 'url'],
      message: 'expected a URL such as http://host:8080/path (http or https)',
      found: url,
    });
    return undefined;
  }
  const protocol = parsed.protocol === 'https:' ? 'https' : 'http';
  const defaultPort = protocol === 'https' ? 443 : 80;
  return {
    protocol,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? defaultPort : Number(parsed.port),
    // "http://host" has no path in Kong, "http://host/" the path "/".
    ...(/^https?:\/\/[^/]*\//.test(url) ? { path: parsed.pathname } : {}),
  };
}
