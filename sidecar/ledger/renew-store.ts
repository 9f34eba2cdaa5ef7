// From a store that could be read to one that was just written, in its place. lmdb believes what its pages say of themselves:
// of 250 bits flipped there, 120 were read over, and ended the process at one of its next writes or spoiled the store. New
// pages have none.
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { flushDirectory } from '../memory/lmdb-file';
import { LedgerStore } from './ledger-store';
import type { OpenLedger } from './open-ledger';
import { wholeOf } from './whole-transaction';

/** Within the data directory: a rename must not leave its file system. */
const WORKSHOP = 'renewed';

/**
 * Closes the store. Where it fails, the store is as it was.
 *
 * @throws what the disk says
 */
export async function renewStore({ store, state }: OpenLedger): Promise<void> {
  const workshop = join(store.directory, WORKSHOP);
  try {
    rmSync(workshop, { recursive: true, force: true });
    const renewed = new LedgerStore(workshop);
    try {
      await renewed.commit(wholeOf(state));
    } finally {
      await renewed.close();
    }
    renameSync(renewed.path, store.path);
    // Before any receipt: otherwise a power cut brings the old one back.
    flushDirectory(store.directory);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
    await store.close();
  }
}
