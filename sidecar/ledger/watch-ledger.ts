// Looks after the ledger once a second: a file that was deleted is noticed without a batch, and what can be mended is mended
// without one, since a sidecar that is not ready may be sent none. In: the ledger, the clock. Out: why it cannot take batches.
import type { Logger } from 'pino';
import type { Clock } from '../clock';
import type { Ledger } from './ledger';

const INSPECT_EVERY_MS = 1_000;
/** A disk that answers later than this is as good as none; a slow one takes a second at most. */
const STUCK_AFTER_MS = 10_000;
/** A full disk may take the small proof that it can be written, and not the next batch: so long without a failure, or a batch. */
const RECOVERED_AFTER_MS = 30_000;

export interface LedgerWatch {
  /** `undefined` if batches can be made durable. */
  whyNotReady(): string | undefined;
  stop(): void;
}

export function watchLedger(ledger: Ledger, clock: Clock, logger: Logger): LedgerWatch {
  let inspectedMs = clock.monotonicMs();
  let failedCommits = ledger.failedCommits;
  let failure: { readonly reason: string; readonly atMs: number; readonly transaction: number } | undefined;
  let said: string | undefined;
  let faults = ledger.faults;
  let isInspecting = false;

  const whyNotReady = (): string | undefined => {
    const nowMs = clock.monotonicMs();
    const reason = ledger.fault?.message;
    if (reason !== undefined) {
      if (reason !== failure?.reason || ledger.failedCommits !== failedCommits) {
        failedCommits = ledger.failedCommits;
        failure = { reason, atMs: nowMs, transaction: ledger.state.transaction };
      }
      return reason;
    }
    const waitedMs = nowMs - inspectedMs;
    if (waitedMs > STUCK_AFTER_MS) return 'the disk does not answer';
    if (
      failure &&
      ledger.state.transaction === failure.transaction &&
      nowMs - failure.atMs < RECOVERED_AFTER_MS
    )
      return failure.reason;
    failure = undefined;
    return undefined;
  };

  const say = (): void => {
    const reason = whyNotReady();
    const hadFault = ledger.faults !== faults;
    faults = ledger.faults;
    if (reason === undefined && said === undefined && hadFault) {
      logger.error({ reason: ledger.lastFault?.message }, 'the ledger could not be written, and can again');
    }
    if (reason === said) return;
    if (reason === undefined) logger.info('the ledger can be written again');
    else
      logger.error(
        { reason },
        'the ledger cannot be written; batches are refused and the producers keep them',
      );
    said = reason;
  };

  const tick = (): void => {
    cancel = clock.after(INSPECT_EVERY_MS, tick);
    say();
    if (isInspecting) return;
    isInspecting = true;
    void ledger.inspect().then(() => {
      isInspecting = false;
      inspectedMs = clock.monotonicMs();
      say();
    });
  };
  let cancel = clock.after(INSPECT_EVERY_MS, tick);

  return { whyNotReady, stop: () => cancel() };
}
