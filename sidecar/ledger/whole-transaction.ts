// From the ledger's state to transactions that add nothing to it: all of it, for a store that lost its files, and the least
// that a store must take to show that it can be written.
import { SLOTS, encodeAdditions, encodeMeta, encodeProducer, encodeSeries, metaOf } from './ledger-record';
import type { LedgerState } from './ledger-state';
import type { StoreTransaction } from './ledger-store';

/** Everything, into an empty store: reading it back gives the same state. */
export function wholeOf(state: LedgerState): StoreTransaction {
  const { transaction } = state;
  const recent = Array.from({ length: Math.min(SLOTS, transaction) }, (_, back) => transaction - back);
  return {
    puts: [
      ...[...state.series.values()].map((entry) => encodeSeries(entry, transaction)),
      ...[...state.producers.values()].map(encodeProducer),
      // A read expects the additions of the last transactions; every series has them already.
      ...recent.map((number) => encodeAdditions(number, { atRunningMs: 0, bySeriesId: new Map() })),
      encodeMeta(metaOf(state)),
    ],
    deletes: [],
  };
}

/** The meta record as it is. lmdb writes and flushes it like any other. */
export function proofOf(state: LedgerState): StoreTransaction {
  return { puts: [encodeMeta(metaOf(state))], deletes: [] };
}
