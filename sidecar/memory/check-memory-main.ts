// The child of check-memory.ts. Its argument is the data directory. Exit 0: the memory was read, and now stands on new pages,
// or stderr says why not; stdout is the number of records that are damaged. 1: it could not be opened, 3: it is not to be used;
// the reason is on stderr.
import { join } from 'node:path';
import { OPEN_WAIT_MS, DamagedFile, openLmdbFile } from './lmdb-file';
import { OtherVersion } from './memory-record';
import { MEMORY_FILE_NAME } from './memory-store';
import { readRecords } from './read-memory';
import { renewMemory } from './renew-memory';

const NOT_TO_BE_USED = 3;

async function main(): Promise<void> {
  const file = openLmdbFile(join(process.argv[2] ?? '', MEMORY_FILE_NAME), OPEN_WAIT_MS);
  const { records, unreadable } = readRecords(file.readAll());
  process.stdout.write(`${unreadable}\n`);
  // A disk that is full must not keep a sidecar from what it remembers.
  await renewMemory(file, records).catch(say);
}

function say(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}

main().catch((error: unknown) => {
  say(error);
  process.exitCode = error instanceof DamagedFile || error instanceof OtherVersion ? NOT_TO_BE_USED : 1;
});
