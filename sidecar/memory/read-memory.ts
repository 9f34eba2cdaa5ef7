// From the records of the alerts' memory, as bytes, to what it holds.
import type { FileRecord } from './lmdb-file';
import { DamagedRecord, keyOf, placeOf, valueOf } from './memory-record';

export interface MemoryContent {
  readonly entries: Map<string, unknown>;
  /** Records that are not what was written: left out. */
  readonly unreadable: number;
}

/** @throws OtherVersion, and what `found` throws */
export function readMemory(found: Iterable<FileRecord>): MemoryContent {
  const { records, unreadable } = readRecords(found);
  const entries = new Map<string, unknown>();
  for (const [key, record] of records) entries.set(key, valueOf(record));
  return { entries, unreadable };
}

/** Key -> record, checked and copied: lmdb uses its own memory again. @throws OtherVersion, and what `found` throws */
export function readRecords(found: Iterable<FileRecord>): {
  records: Map<string, Buffer>;
  unreadable: number;
} {
  const records = new Map<string, Buffer>();
  let unreadable = 0;
  for (const { key: place, value } of found) {
    const record = Buffer.from(value);
    const key = soundKeyOf(record);
    // The checksum is of the value: of what lmdb keeps beside it this is the check.
    if (key !== undefined && placeOf(key).equals(place)) records.set(key, record);
    else unreadable += 1;
  }
  return { records, unreadable };
}

function soundKeyOf(record: Buffer): string | undefined {
  try {
    return keyOf(record);
  } catch (error) {
    if (error instanceof DamagedRecord) return undefined;
    throw error;
  }
}
