// Finds out whether the store can be read, in a child process: lmdb ends its process with SIGBUS or SIGABRT on a file that
// was cut off or overwritten, and a sidecar that dies so at every start tells nobody why.
import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { STORE_FILE_NAME } from './ledger-store';
import { StoreFault, damaged } from './store-fault';

/**
 * Reads the whole store in a child process. Where there is no store yet, does nothing.
 *
 * @throws StoreFault with what to do
 */
export function checkStore(directory: string): void {
  const path = join(directory, STORE_FILE_NAME);
  if (!existsSync(path)) return;
  const program = join(__dirname, 'check-store-main.js');
  const { status, signal, stderr, error } = spawnSync(process.execPath, [program, directory], {
    encoding: 'utf8',
  });
  if (status === 0) return;
  if (error) throw new StoreFault(`the ledger at ${path} cannot be checked: ${error.message}`);
  if (signal === null) throw new StoreFault(stderr.trim().split('\n').at(-1) ?? '');
  // lmdb maps its lock file before it has room: without room, the first write to it is a SIGBUS.
  if (signal === 'SIGBUS' && statfsSync(directory).bavail === 0) {
    throw new StoreFault(
      `the ledger at ${path} cannot be opened: no space left on its file system. Make room`,
    );
  }
  throw damaged(path, directory, `reading it ended with ${signal}`);
}
