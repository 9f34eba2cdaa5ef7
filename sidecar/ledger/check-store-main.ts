// The child of check-store.ts. Its argument is the data directory; exit 0: every record is as it was written; 1: the fault is
// on stderr.
import { OPEN_WAIT_MS, openLedger } from './open-ledger';
import { reasonOf } from './store-fault';

async function main(): Promise<void> {
  await openLedger(process.argv[2] ?? '', OPEN_WAIT_MS).store.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
});
