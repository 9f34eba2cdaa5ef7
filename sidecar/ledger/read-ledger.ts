// From the records of a store to the state they stand for, checked: every checksum, that every record that must be there
// is there under its own key and no other is, and that the counts and totals of the meta record are those that can be
// added up. Of a store in the form of another release only the meta record is read.
import {
  DamagedRecord,
  SLOTS,
  decodeAdditions,
  decodeMeta,
  decodeProducer,
  decodeSeries,
  kindOf,
  producerKey,
  seriesRecordKey,
  type Additions,
  type Meta,
  type StoredRecord,
} from './ledger-record';
import { addTo, emptyState, insertSeries, type LedgerState } from './ledger-state';

/**
 * Reads a whole store; an empty one gives the empty state.
 *
 * @throws DamagedRecord saying what does not fit, OtherVersion
 */
export function readLedger(records: Iterable<StoredRecord>): LedgerState {
  const state = emptyState();
  const asOfBySeriesId = new Map<number, number>();
  let meta: Meta | undefined;
  let keyBefore: Buffer | undefined;
  // They come before the meta record, which tells how to read them.
  const additionsBytes = new Map<number, Buffer>();
  for (const { key, value } of records) {
    // A page that points back at itself would be read for ever.
    if (keyBefore && Buffer.compare(keyBefore, key) >= 0)
      throw new DamagedRecord('its records are out of order');
    keyBefore = Buffer.from(key);
    switch (kindOf(key)) {
      case 'meta':
        meta = decodeMeta(value);
        break;
      case 'producer': {
        const position = decodeProducer(value);
        expectKey(key, producerKey(position.producer));
        state.producers.set(position.producer, position);
        break;
      }
      case 'series': {
        const { entry, asOf } = decodeSeries(value);
        expectKey(key, seriesRecordKey(entry.id));
        insertSeries(state, entry);
        asOfBySeriesId.set(entry.id, asOf);
        break;
      }
      case 'additions':
        additionsBytes.set(Number(Buffer.from(key).readBigUInt64BE(1)), Buffer.from(value));
        break;
      case undefined:
        throw new DamagedRecord(`a record has the unknown key ${Buffer.from(key).toString('hex')}`);
    }
  }
  if (meta === undefined) {
    if (keyBefore) throw new DamagedRecord('the meta record is missing');
    return state;
  }
  state.transaction = meta.transaction;
  state.nextSeriesId = meta.nextSeriesId;
  state.runningMs = meta.runningMs;
  state.expiredSeries = meta.expiredSeries;
  Object.assign(state.statistics, meta.statistics);
  const additions = [...additionsBytes].map(([number, bytes]) => [number, decodeAdditions(bytes)] as const);
  replay(state, new Map(additions), asOfBySeriesId);
  compare(state, meta);
  return state;
}

function expectKey(found: Uint8Array, expected: Buffer): void {
  if (Buffer.compare(found, expected) !== 0) {
    const keys = [expected, Buffer.from(found)].map((key) => key.toString('hex'));
    throw new DamagedRecord(`a record has another key: expected ${keys[0]}, found ${keys[1]}`);
  }
}

/** Brings every series from the transaction it was last written whole in up to the last one. */
function replay(
  state: LedgerState,
  additions: ReadonlyMap<number, Additions>,
  asOfBySeriesId: ReadonlyMap<number, number>,
): void {
  const oldest = Math.max(1, state.transaction - SLOTS + 1);
  if (additions.size > state.transaction - oldest + 1) {
    throw new DamagedRecord(`expected ${state.transaction - oldest + 1} additions, found ${additions.size}`);
  }
  for (let transaction = oldest; transaction <= state.transaction; transaction++) {
    const added = additions.get(transaction);
    if (added === undefined)
      throw new DamagedRecord(`the additions of transaction ${transaction} are missing`);
    for (const [id, addition] of added.bySeriesId) {
      const entry = state.seriesById.get(id);
      if (entry === undefined) throw new DamagedRecord(`series ${id} is missing`);
      if (transaction <= (asOfBySeriesId.get(id) ?? 0)) continue;
      addTo(entry, addition);
      entry.touchedIn = transaction;
      entry.seenAtRunningMs = Math.max(entry.seenAtRunningMs, added.atRunningMs);
    }
  }
}

function compare(state: LedgerState, meta: Meta): void {
  for (const { requests } of state.series.values()) state.requests += requests;
  const found = [state.series.size, state.seriesById.size, state.producers.size, state.requests];
  const expected = [meta.seriesCount, meta.seriesCount, meta.producerCount, meta.requests];
  if (found.join() !== expected.join()) {
    throw new DamagedRecord(
      `expected ${meta.seriesCount} series, ${meta.producerCount} producers and ${meta.requests} requests, ` +
        `found ${state.series.size}, ${state.producers.size} and ${state.requests}`,
    );
  }
  for (const { seenAtRunningMs } of [...state.series.values(), ...state.producers.values()]) {
    if (seenAtRunningMs > meta.runningMs) {
      throw new DamagedRecord(
        `a record of ${seenAtRunningMs} ms of running, where the sidecar ran for ${meta.runningMs} ms`,
      );
    }
  }
}
