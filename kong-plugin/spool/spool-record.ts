// A spool is a file of records, each with its length and a CRC-32 before it: a process that dies while it writes leaves at
// most one that is not whole, at the end.
import { crc32 } from 'node:zlib';

/** Length of the payload and its CRC-32, each four bytes, big-endian. */
export const HEADER_BYTES = 8;

/** Writes the header of the payload that stands behind it in `record`. */
export function sealInPlace(record: Buffer): void {
  const payload = record.subarray(HEADER_BYTES);
  record.writeUInt32BE(payload.length, 0);
  record.writeUInt32BE(crc32(payload), 4);
}

export function sealRecord(payload: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  record.set(payload, HEADER_BYTES);
  sealInPlace(record);
  return record;
}

export interface ReadRecords {
  readonly payloads: readonly Buffer[];
  /** Behind the last record that is whole. */
  readonly unreadBytes: number;
}

/** Reads up to the first record that is not whole, or not what was written. */
export function readRecords(bytes: Buffer): ReadRecords {
  const payloads: Buffer[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    const payload = bytes.subarray(at + HEADER_BYTES, end);
    if (payload.length === 0 || crc32(payload) !== bytes.readUInt32BE(at + 4)) break;
    payloads.push(payload);
    at = end;
  }
  return { payloads, unreadBytes: bytes.length - at };
}
