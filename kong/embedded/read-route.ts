// In: one checked `routes` entry and the service it belongs to. Out: the route; what a schema cannot express (paths,
// a route that matches nothing) becomes faults in Kong's words.
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
import type { Route, Service } from './kong-entities';

/** Adds to `faults` what is wrong; the route is only to be used when nothing was added. */
export function readRoute(
  entry: CheckedRecord,
  path: FieldPath,
  service: Service | undefined,
  createdAtS: number,
  faults: SchemaFault[],
): Route {
  const name = optionalText(entry, 'name');
  const paths = optionalTexts(entry, 'paths');
  const hosts = optionalTexts(entry, 'hosts');
  const methods = optionalTexts(entry, 'methods');
  const tags = optionalTexts(entry, 'tags');
  if (paths === undefined && hosts === undefined && methods === undefined) {
    faults.push({ path, message: "must set one of 'methods', 'hosts', 'paths'" });
  }
  paths?.forEach((routePath, index) => {
    const message = pathFault(routePath);
    if (message !== undefined) faults.push({ path: [...path, 'paths', index], message, found: routePath });
  });
  hosts?.forEach((host, index) => {
    if (!/^(\*\.[^*\s/]+|[^*\s/]+\.\*|[^*\s/]+)$/.test(host)) {
      const message = 'expected a host name, with at most one * as its first or last label';
      faults.push({ path: [...path, 'hosts', index], message, found: host });
    }
  });
  return {
    id: optionalText(entry, 'id') ?? entityId('routes', name ?? JSON.stringify(path)),
    ...(name === undefined ? {} : { name }),
    ...(service === undefined ? {} : { service }),
    ...(paths === undefined ? {} : { paths }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(methods === undefined ? {} : { methods }),
    protocols: optionalTexts(entry, 'protocols') ?? [],
    stripPath: requiredFlag(entry, 'strip_path'),
    preserveHost: requiredFlag(entry, 'preserve_host'),
    requestBuffering: requiredFlag(entry, 'request_buffering'),
    responseBuffering: requiredFlag(entry, 'response_buffering'),
    regexPriority: requiredNumber(entry, 'regex_priority'),
    pathHandling: requiredText(entry, 'path_handling'),
    httpsRedirectStatusCode: requiredNumber(entry, 'https_redirect_status_code'),
    ...(tags === undefined ? {} : { tags }),
    createdAtS,
  };
}

function pathFault(path: string): string | undefined {
  if (!path.startsWith('/') && !path.startsWith('~/')) {
    return 'should start with: / (fixed path) or ~/ (regex path)';
  }
  if (!path.startsWith('~')) return undefined;
  try {
    new RegExp(path.slice(1));
    return undefined;
  } catch (error) {
    return `invalid regex: '${path.slice(1)}' (${error instanceof Error ? error.message : String(error)})`;
  }
}
