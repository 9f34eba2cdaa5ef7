// The child of check-store.ts. Its argument is the data directory; exit 0: every record is as it was written.
import { LedgerStore } from './ledger-store';
import { readLedger } from './read-ledger';

async function main(): Promise<void> {
  const store = new LedgerStore(process.argv[2] ?? '');
  readLedger(store.readAll());
  await store.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
