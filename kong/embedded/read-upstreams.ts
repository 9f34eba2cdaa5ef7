// In: the checked `upstreams` and `targets` collections. Out: the upstreams with their targets, and faults for targets
// that cannot be read or belong to no upstream. A target without a port gets Kong's default, 8000.
import type { FieldPath, SchemaFault } from './check-against-schema';
import { optionalText, recordsOf, requiredNumber, requiredText, type CheckedRecord } from './checked-values';
import { referenceName } from './entity-reference';
import type { Target, Upstream } from './kong-entities';

const DEFAULT_TARGET_PORT = 8000;

/** Adds to `faults` what is wrong. */
export function readUpstreams(content: CheckedRecord, faults: SchemaFault[]): Upstream[] {
  const targetsOf = new Map<string, Target[]>();
  const upstreams = recordsOf(content, 'upstreams').map(({ index, record }): Upstream => {
    const name = requiredText(record, 'name');
    const hostHeader = optionalText(record, 'host_header');
    const targets = recordsOf(record, 'targets').flatMap((entry) =>
      readTarget(entry.record, ['upstreams', index, 'targets', entry.index], faults),
    );
    targetsOf.set(name, targets);
    return { name, ...(hostHeader === undefined ? {} : { hostHeader }), targets };
  });
  for (const { index, record } of recordsOf(content, 'targets')) {
    const path = ['targets', index];
    const owner = referenceName(record.upstream);
    const targets = owner === undefined ? undefined : targetsOf.get(owner);
    if (targets === undefined) {
      const message = `invalid reference 'upstream: ${owner ?? ''}' (no such entry in 'upstreams')`;
      faults.push({ path: [...path, 'upstream'], message, found: record.upstream });
    } else targets.push(...readTarget(record, path, faults));
  }
  return upstreams;
}

function readTarget(entry: CheckedRecord, path: FieldPath, faults: SchemaFault[]): Target[] {
  const text = requiredText(entry, 'target');
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s/]+)(?::(\d{1,5}))?$/.exec(text);
  const port = match?.[2] === undefined ? DEFAULT_TARGET_PORT : Number(match[2]);
  if (match?.[1] === undefined || port > 65_535) {
    faults.push({
      path: [...path, 'target'],
      message: 'Invalid target; not a valid hostname or ip address with a port such as host:8000',
      found: text,
    });
    return [];
  }
  return [{ host: match[1].replace(/^\[|\]$/g, ''), port, weight: requiredNumber(entry, 'weight') }];
}
