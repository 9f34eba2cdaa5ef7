// The records of the alerts' memory, as bytes: a CRC-32 of the rest, the form, the length of the key, the key, and the value as
// MessagePack. lmdb does not notice flipped bits, so each record is checked when it is read. A key is any text: one that is too
// long for lmdb stands under its SHA-256.
// A value is plain data: texts, finite and other numbers, booleans, null, arrays, bytes, and objects of them. What is
// undefined in an object is left out; in an array it comes back as null. A lone surrogate in a text comes back as U+FFFD. Bytes
// are read far faster than a list of numbers.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ExtensionCodec, decode, encode } from '@msgpack/msgpack';

/** The form of the records. A store of another one is set aside. */
export const MEMORY_VERSION = 1;

const VERSION_AT = 4;
const KEY_LENGTH_AT = 5;
const HEAD_BYTES = 9;

/** lmdb takes up to 1,978 bytes, and needs fewer pages for shorter ones. */
const LONGEST_KEY_BYTES = 256;

/** A record that cannot be what was written. */
export class DamagedRecord extends Error {}

/** The memory has the form of another release. */
export class OtherVersion extends Error {
  constructor(readonly version: number) {
    super(`it has form ${version}, and this release reads form ${MEMORY_VERSION}`);
  }
}

/** Refuses what would come back as something else, or not at all. */
class PlainData extends ExtensionCodec {
  override tryToEncode(object: unknown): null {
    if (Array.isArray(object) || object instanceof Uint8Array) return null;
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
      throw new TypeError('a value is no plain data');
    // The decoder refuses it.
    if (Object.hasOwn(object as object, '__proto__')) throw new TypeError('a value has a key __proto__');
    return null;
  }
}

const plainData = new PlainData();

/** Where a record stands in lmdb. */
export function placeOf(key: string): Buffer {
  const bytes = Buffer.from(key);
  if (bytes.length > 0 && bytes.length <= LONGEST_KEY_BYTES) return bytes;
  return Buffer.from(`#${createHash('sha256').update(bytes).digest('hex')}`);
}

/** @throws TypeError for what is no plain data */
export function encodeRecord(key: string, value: unknown, version = MEMORY_VERSION): Buffer {
  const body = encode(value, { ignoreUndefined: true, extensionCodec: plainData });
  const keyBytes = Buffer.from(key);
  const record = Buffer.allocUnsafe(HEAD_BYTES + keyBytes.length + body.length);
  record.writeUInt8(version, VERSION_AT);
  record.writeUInt32BE(keyBytes.length, KEY_LENGTH_AT);
  record.set(keyBytes, HEAD_BYTES);
  record.set(body, HEAD_BYTES + keyBytes.length);
  record.writeUInt32BE(crc32(record.subarray(VERSION_AT)), 0);
  return record;
}

/** The key of a record that is what was written. @throws DamagedRecord, OtherVersion */
export function keyOf(record: Buffer): string {
  if (record.length < HEAD_BYTES || crc32(record.subarray(VERSION_AT)) !== record.readUInt32BE()) {
    throw new DamagedRecord('a record does not match its checksum');
  }
  const version = record.readUInt8(VERSION_AT);
  if (version !== MEMORY_VERSION) throw new OtherVersion(version);
  return record.toString('utf8', HEAD_BYTES, bodyAt(record));
}

/** The value of a record that keyOf has checked. Its bytes, if it has any, are the record's own. */
export function valueOf(record: Buffer): unknown {
  return decode(record.subarray(bodyAt(record)));
}

function bodyAt(record: Buffer): number {
  return HEAD_BYTES + record.readUInt32BE(KEY_LENGTH_AT);
}
