// Finds out whether the store can be read, in a child process: lmdb ends its process with SIGBUS or SIGABRT on a file that
// was cut off or overwritten, and a sidecar that dies so at every start tells nobody why.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { STORE_FILE_NAME, StoreFault } from './ledger-store';

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
  const reason =
    error?.message ?? (signal ? `reading it ended with ${signal}` : (stderr.trim().split('\n').at(-1) ?? ''));
  throw new StoreFault(
    `the ledger at ${path} is damaged: ${reason}. ` +
      'Restore it from a copy, or move it away to begin with empty series (Prometheus sees counters begin at 0)',
  );
}
