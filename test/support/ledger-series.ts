// A series as the ledger has it, of what was counted.
import type { Delta } from '../../kong-plugin/contract/delta';
import type { LedgerSeries } from '../../sidecar/ledger/ledger-state';

export function ledgerSeriesOf(delta: Delta): LedgerSeries {
  return { ...delta, id: 1, seenAtRunningMs: 0, touchedIn: 1 };
}
