// The child of check-store.ts. Its argument is the data directory; exit 0: every record is as it was written, and now stands
// on new pages, or stderr says why not; 1: the fault is on stderr.
import { OPEN_WAIT_MS, openLedger } from './open-ledger';
import { renewStore } from './renew-store';
import { reasonOf } from './store-fault';

async function main(): Promise<void> {
  const opened = openLedger(process.argv[2] ?? '', OPEN_WAIT_MS);
  // A disk that is full must not keep a sidecar from telling what it has.
  await renewStore(opened).catch(say);
}

function say(error: unknown): void {
  process.stderr.write(`${reasonOf(error)}\n`);
}

main().catch((error: unknown) => {
  say(error);
  process.exitCode = 1;
});
