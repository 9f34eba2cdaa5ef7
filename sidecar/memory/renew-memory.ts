// From a memory that could be read to one that was just written, in its place: lmdb believes what its pages say of themselves,
// and a bit that was flipped there may end the process at one of its next writes. New pages have none, and no free ones.
import { renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LmdbFile, flushDirectory, type FileRecord } from './lmdb-file';
import { placeOf } from './memory-record';

/** Within the data directory: a rename must not leave its file system. */
const WORKSHOP = 'renewed-alerts';

/** In one transaction: lmdb keeps its pages in memory until then. */
const RECORDS_AT_ONCE = 1_000;

/**
 * Closes the file. Where it fails, the file is as it was.
 *
 * @throws what the disk says
 */
export async function renewMemory(file: LmdbFile, records: ReadonlyMap<string, Buffer>): Promise<void> {
  const directory = dirname(file.path);
  const workshop = join(directory, WORKSHOP);
  try {
    rmSync(workshop, { recursive: true, force: true });
    const renewed = new LmdbFile(join(workshop, basename(file.path)));
    try {
      let puts: FileRecord[] = [];
      for (const [key, value] of records) {
        puts.push({ key: placeOf(key), value });
        if (puts.length < RECORDS_AT_ONCE) continue;
        await renewed.commit({ puts, deletes: [] });
        puts = [];
      }
      await renewed.commit({ puts, deletes: [] });
    } finally {
      await renewed.close();
    }
    renameSync(renewed.path, file.path);
    // Before anything is remembered: otherwise a power cut brings the old one back.
    flushDirectory(directory);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
    await file.close();
  }
}
