// In: what identifies an entity in a declarative file. Out: its UUID (version 5), the same at every start.
// For named services and routes these are the ids that Kong itself derives: `up` and `r-up` of the recordings agree.
import { createHash } from 'node:crypto';

/** Kong's namespace for the ids of declarative entities (kong/db/schema/others/declarative_config.lua). */
const DECLARATIVE_NAMESPACE = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';

/** The only workspace of a Kong without a database: the id that stands in every recorded log. */
export const DEFAULT_WORKSPACE_ID = '0dc6f45b-8f8d-40d2-a504-473544ee190b';

/** The id of the entity that `key` names within its collection, such as `services` and `up`. */
export function entityId(collection: string, key: string): string {
  return uuidV5(uuidV5(DECLARATIVE_NAMESPACE, collection), key);
}

function uuidV5(namespace: string, name: string): string {
  const digest = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
