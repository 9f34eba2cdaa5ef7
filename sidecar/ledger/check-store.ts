// Finds out whether the store can be read, in a child process: lmdb ends its process with a signal on a file that was cut off
// or overwritten, and a sidecar that dies so at every start tells nobody why.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { STORE_FILE_NAME } from './ledger-store';
import { StoreFault, damaged } from './store-fault';

/**
 * Reads the whole store in a child process, and writes it anew (see renew-store.ts). Where there is no store yet, does nothing.
 *
 * @returns why it could not be written anew
 * @throws StoreFault with what to do
 */
export function checkStore(directory: string): string | undefined {
  const path = join(directory, STORE_FILE_NAME);
  if (!existsSync(path)) return undefined;
  const program = join(__dirname, 'check-store-main.js');
  const { status, signal, stderr, error } = spawnSync(process.execPath, [program, directory], {
    encoding: 'utf8',
  });
  if (error) throw new StoreFault(`the ledger at ${path} cannot be checked: ${error.message}`);
  if (signal !== null) throw damaged(path, directory, `reading it ended with ${signal}`);
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (status !== 0) throw new StoreFault(said);
  return said === '' ? undefined : said;
}
