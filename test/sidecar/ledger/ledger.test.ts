import { mkdtempSync, rmSync, truncateSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { ledgerFamilies } from '../../../sidecar/exposition/ledger-families';
import { open } from 'lmdb';
import { encodeBatch, type Batch } from '../../../kong-plugin/contract/batch';
import { seriesKey, type Delta } from '../../../kong-plugin/contract/delta';
import type { checkStore as CheckStore } from '../../../sidecar/ledger/check-store';
import { Ledger, type Applied } from '../../../sidecar/ledger/ledger';
import {
  SLOTS,
  STORE_VERSION,
  additionsKey,
  decodeSeries,
  encodeSeries,
  seriesRecordKey,
} from '../../../sidecar/ledger/ledger-record';
import { RECENT_BATCHES, type LedgerState } from '../../../sidecar/ledger/ledger-state';
import { StoreFault } from '../../../sidecar/ledger/store-fault';
import { PRODUCER_IDLE_MS, SERIES_IDLE_MS } from '../../../sidecar/ledger/plan-transaction';
import { NO_STATISTICS, arbitraryIntervals, batchOf, deltaOf } from '../../support/batches';

const NOW_MS = 1_700_000_000_000;
const CAP = 1_000;
const DAY_MS = 24 * 60 * 60 * 1000;

let directory: string;
let ledger: Ledger;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-ledger-'));
  ledger = Ledger.open(directory);
});

afterEach(async () => {
  await ledger.close();
  rmSync(directory, { recursive: true, force: true });
});

function apply(batch: Batch, nowMs = NOW_MS, cap = CAP): Promise<Applied> {
  return ledger.apply(batch, encodeBatch(batch), nowMs, cap);
}

async function reopen(): Promise<void> {
  await ledger.close();
  ledger = Ledger.open(directory);
}

/** All that a state says, without its order. */
function contentOf(state: Readonly<LedgerState>): unknown {
  return {
    series: [...state.series.values()]
      .map(({ series, requests, upstream, failedTries, seenAtRunningMs, touchedIn }) => ({
        key: seriesKey(series),
        requests,
        count: upstream.count,
        sumMs: upstream.sumMs,
        cells: sorted(upstream.cells),
        failedTries: sorted(failedTries),
        seenAtRunningMs,
        touchedIn,
      }))
      .sort((a, b) => a.key.localeCompare(b.key)),
    producers: [...state.producers.values()].sort((a, b) => a.producer.localeCompare(b.producer)),
    statistics: state.statistics,
    transaction: state.transaction,
    nextSeriesId: state.nextSeriesId,
    requests: state.requests,
    runningMs: state.runningMs,
    expiredSeries: state.expiredSeries,
  };
}

function sorted(map: ReadonlyMap<number, number>): [number, number][] {
  return [...map].sort(([a], [b]) => a - b);
}

describe('the ledger', () => {
  it('counts a batch once, however often it comes', async () => {
    const batch = batchOf([deltaOf({}, [120, 130, undefined])]);
    expect(await apply(batch)).toMatchObject({ result: 'applied', missingBatches: 0 });
    const once = contentOf(ledger.state);
    for (let time = 0; time < 3; time++) {
      expect(await apply(batch)).toEqual({
        result: 'duplicate',
        receipt: { producer: 'producer-1', sequence: 1, result: 'duplicate' },
      });
    }
    await reopen();
    expect(await apply(batch)).toMatchObject({ result: 'duplicate' });
    expect(contentOf(ledger.state)).toEqual(once);
    expect(ledger.state.requests).toBe(3);
  });

  it('refuses other bytes under a sequence that it has, and counts nothing of them', async () => {
    await apply(batchOf([deltaOf({}, [1])]));
    expect(await apply(batchOf([deltaOf({}, [2])]))).toEqual({ result: 'conflict' });
    expect(ledger.state.requests).toBe(1);
  });

  it('takes a batch after a gap and says how many never came', async () => {
    await apply(batchOf([deltaOf({}, [1])], 1));
    expect(await apply(batchOf([deltaOf({}, [1])], 5))).toMatchObject({
      result: 'applied',
      missingBatches: 3,
    });
  });

  it('gives no receipt for a batch that comes after later ones and was never counted', async () => {
    const batch = (sequence: number, producer = 'producer-1'): Batch =>
      batchOf([deltaOf({}, [sequence])], sequence, producer);
    for (const sequence of [3, 5]) await apply(batch(sequence));
    for (const sequence of [1, 2, 4]) {
      expect(await apply(batch(sequence))).toEqual({ result: 'late', lastSequence: 5 });
      await reopen();
    }
    // The true ones, and others under their numbers.
    for (const sequence of [3, 5]) {
      expect(await apply(batch(sequence))).toMatchObject({ result: 'duplicate' });
      expect(await apply(batchOf([deltaOf({}, [1, 2])], sequence))).toEqual({ result: 'conflict' });
    }
    expect(ledger.state.requests).toBe(2);
    for (let sequence = 6; sequence < 5 + RECENT_BATCHES; sequence++) await apply(batch(sequence));
    expect(await apply(batch(5))).toMatchObject({ result: 'duplicate' });
    // So far back it may be either: what is doubtful gets no receipt.
    expect(await apply(batch(3))).toMatchObject({ result: 'late' });
    expect(ledger.state.producers.get('producer-1')?.recent).toHaveLength(RECENT_BATCHES);
    expect(await apply(batch(4, 'another'))).toMatchObject({ result: 'applied' });
  });

  it('keeps two producers apart', async () => {
    await apply(batchOf([deltaOf({}, [1])], 1, 'a'));
    expect(await apply(batchOf([deltaOf({}, [1])], 1, 'b'))).toMatchObject({ result: 'applied' });
    expect(ledger.state.requests).toBe(2);
  });

  it('counts batches that come at the same time one after the other', async () => {
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => apply(batchOf([deltaOf({}, [index])], 1, `p-${index % 25}`))),
    );
    expect(results.filter(({ result }) => result === 'applied')).toHaveLength(25);
    expect(ledger.state.requests).toBe(25);
  });

  it('folds new series into __other__ over its cap, and keeps every total', async () => {
    const deltas = Array.from({ length: 40 }, (_, index) =>
      deltaOf({ service: `s${index % 3}`, operation: `GET r${index}` }, [index]),
    );
    const applied = await apply(batchOf(deltas), NOW_MS, 10);
    expect(ledger.state.requests).toBe(40);
    // Ten as they are, one more under its service and `__other__`, the rest under `__other__` alone.
    expect([...ledger.state.series.values()].map(({ series }) => series.operation)).toHaveLength(12);
    expect(applied).toMatchObject({ result: 'applied', foldedRequests: 30 });
    const before = ledger.state.series.size;
    await apply(batchOf([deltaOf({ service: 's0', operation: 'GET r0' }, [1])], 2), NOW_MS, 10);
    expect(ledger.state.series.size).toBe(before);
  });

  it('hands on the failed addresses of what it folds, each with its delta, and keeps none itself', async () => {
    const deltas = Array.from({ length: 40 }, (_, index) => ({
      ...deltaOf({ service: `s${index % 3}`, operation: `GET r${index}` }, [index]),
      failedTries: new Map([[502, 1]]),
      failedAddresses: new Map([[`10.0.0.${index}:80`, 1]]),
    }));
    const applied = await apply(batchOf(deltas), NOW_MS, 10);
    const handedOn = applied.result === 'applied' ? applied.intervals.flatMap((one) => one.deltas) : [];
    expect(handedOn.filter(({ series }) => series.operation === '__other__')).toHaveLength(30);
    expect(handedOn.map(({ failedAddresses }) => failedAddresses)).toEqual(
      deltas.map(({ failedAddresses }) => failedAddresses),
    );
    for (const entry of ledger.state.series.values()) expect(entry).not.toHaveProperty('failedAddresses');
  });

  it('folds new services over a twentieth of its cap, keeps their operations and every total', async () => {
    const deltas = Array.from({ length: 400 }, (_, index) =>
      deltaOf({ service: `s${index}`, operation: `GET r${index % 7}` }, [index]),
    );
    const applied = await apply(batchOf(deltas), NOW_MS, 3_000);
    expect(applied).toMatchObject({ result: 'applied', foldedRequests: 250 });
    expect(ledger.state.requests).toBe(400);
    expect(ledger.state.services.size).toBe(151);
    expect(ledger.state.services.get('__other__')).toBe(7);
    const before = [...ledger.state.services];
    await reopen();
    expect([...ledger.state.services].sort()).toEqual(before.sort());
    // One that is known stays.
    await apply(batchOf([deltaOf({ service: 's0', operation: 'GET new' }, [1])], 2), NOW_MS, 3_000);
    expect(ledger.state.services.get('s0')).toBe(2);
  });

  it('lets a series go that was idle for a week, and counts it', async () => {
    await apply(batchOf([deltaOf({ service: 'old', operation: 'GET old' }, [1])], 1));
    for (let sequence = 2; sequence < 2 * SLOTS; sequence++)
      await apply(batchOf([deltaOf({}, [1])], sequence));
    for (let sequence = 2 * SLOTS; sequence < 4 * SLOTS; sequence++) {
      await apply(batchOf([deltaOf({}, [1])], sequence), NOW_MS + SERIES_IDLE_MS + 1);
    }
    expect([...ledger.state.series.values()].map(({ series }) => series.service)).toEqual(['orders']);
    expect(ledger.state.expiredSeries).toBe(1);
    expect([...ledger.state.services]).toEqual([['orders', 1]]);
    const before = contentOf(ledger.state);
    await reopen();
    expect(contentOf(ledger.state)).toEqual(before);
  });

  it('keeps a series that comes back in the very transaction that would let it go', async () => {
    const weekly = (): Delta => deltaOf({ operation: 'POST weekly' }, [5]);
    await apply(batchOf([weekly()], 1));
    for (let sequence = 2; sequence <= 2 * SLOTS; sequence++)
      await apply(batchOf([deltaOf({}, [1])], sequence));
    await apply(batchOf([weekly(), deltaOf({}, [1])], 2 * SLOTS + 1), NOW_MS + SERIES_IDLE_MS + 1);
    expect(ledger.state.expiredSeries).toBe(0);
    const before = contentOf(ledger.state);
    await reopen();
    expect(contentOf(ledger.state)).toEqual(before);
    expect(ledger.state.requests).toBe(2 * SLOTS + 1 + 1);
  });

  it('lets no exposed counter go down: the series of an operation go together', async () => {
    const failed = (status: number): Delta =>
      deltaOf({ status, errorType: 'upstream_server_error', severity: 'error' }, [5]);
    const errors = (): number | undefined =>
      ledgerFamilies(ledger.state.series.values(), [])
        .find(({ name }) => name === 'application_errors_total')
        ?.samples.map((sample) => ('value' in sample ? sample.value : 0))[0];
    await apply(batchOf([failed(502)], 1));
    for (let sequence = 2; sequence <= 2 * SLOTS; sequence++) await apply(batchOf([failed(500)], sequence));
    const later = NOW_MS + SERIES_IDLE_MS + 1;
    for (let sequence = 2 * SLOTS + 1; sequence <= 4 * SLOTS; sequence++) {
      await apply(batchOf([failed(500)], sequence), later);
      expect(errors()).toBe(sequence);
    }
    // Once the whole operation is idle, all of it goes in one transaction.
    for (let sequence = 4 * SLOTS + 1; sequence <= 6 * SLOTS; sequence++) {
      await apply(batchOf([deltaOf({ operation: 'GET other' }, [1])], sequence), later + SERIES_IDLE_MS + 1);
      expect([4 * SLOTS, undefined]).toContain(errors());
    }
    expect(errors()).toBeUndefined();
  });

  it('forgets a producer after 30 days of silence', async () => {
    await apply(batchOf([deltaOf({}, [1])], 7, 'gone'));
    await apply(batchOf([deltaOf({}, [1])], 1, 'here'), NOW_MS + PRODUCER_IDLE_MS + 1);
    expect([...ledger.state.producers.keys()]).toEqual(['here']);
    await reopen();
    expect([...ledger.state.producers.keys()]).toEqual(['here']);
  });

  it('forgets a producer that said goodbye no sooner, and keeps one that came back', async () => {
    const goodbye = (producer: string): Batch => ({
      ...batchOf([], 2, producer),
      intervals: [],
      isGoodbye: true,
    });
    for (const producer of ['gone', 'back', 'living']) await apply(batchOf([deltaOf({}, [1])], 1, producer));
    for (const producer of ['gone', 'back']) await apply(goodbye(producer));
    await apply(batchOf([deltaOf({}, [1])], 2, 'living'), NOW_MS + PRODUCER_IDLE_MS);
    expect([...ledger.state.producers.keys()].sort()).toEqual(['back', 'gone', 'living']);
    expect(ledger.state.producers.get('gone')?.hasLeft).toBe(true);
    // What a successor finds of it, a month late, was counted.
    expect(await apply(goodbye('gone'), NOW_MS + PRODUCER_IDLE_MS)).toMatchObject({ result: 'duplicate' });
    await apply(batchOf([deltaOf({}, [1])], 3, 'back'), NOW_MS + PRODUCER_IDLE_MS);
    await apply(batchOf([deltaOf({}, [1])], 3, 'living'), NOW_MS + PRODUCER_IDLE_MS + 1);
    expect([...ledger.state.producers.keys()].sort()).toEqual(['back', 'living']);
    await reopen();
    expect([...ledger.state.producers.keys()].sort()).toEqual(['back', 'living']);
  });

  it('measures what is idle by the time for which a sidecar ran, whatever the clock says at its starts', async () => {
    let sequence = 0;
    /** Batches of a busy producer at the same moment, until every slot has had its turn twice. */
    const beBusy = async (nowMs: number, monotonicMs: number): Promise<void> => {
      for (let more = 0; more < 2 * SLOTS + 1; more++) {
        const batch = batchOf([deltaOf({}, [1])], ++sequence, 'busy');
        await ledger.apply(batch, encodeBatch(batch), nowMs, CAP, monotonicMs);
      }
    };
    const known = (): unknown[] => [ledger.state.series.size, [...ledger.state.producers.keys()].sort()];
    const rare = batchOf([deltaOf({ operation: 'GET rare' }, [1])], 1, 'rare');
    await ledger.apply(rare, encodeBatch(rare), NOW_MS, CAP, 1_000);
    await beBusy(NOW_MS, 2_000);
    // Each start has its own monotonic clock, and another one that is wrong; none ran for long.
    for (const [days, monotonicMs] of [
      [40, 5e9],
      [-40, 7],
      [400, 1e3],
      [0, 3e12],
    ] as const) {
      await reopen();
      await beBusy(NOW_MS + days * DAY_MS, monotonicMs);
      expect(known()).toEqual([2, ['busy', 'rare']]);
    }
    expect(await apply(rare)).toMatchObject({ result: 'duplicate' });
    // The time before the starts counts: six days and two are more than a week.
    await reopen();
    await beBusy(NOW_MS, 100);
    await beBusy(NOW_MS, 100 + 6 * DAY_MS);
    expect(known()).toEqual([2, ['busy', 'rare']]);
    await reopen();
    await beBusy(NOW_MS, 9e12);
    await beBusy(NOW_MS, 9e12 + 2 * DAY_MS);
    expect(known()).toEqual([1, ['busy', 'rare']]);
    await beBusy(NOW_MS, 9e12 + 25 * DAY_MS);
    expect(known()).toEqual([1, ['busy']]);
    const inMemory = contentOf(ledger.state);
    await reopen();
    expect(contentOf(ledger.state)).toEqual(inMemory);
  });

  it('reads back exactly what it had in memory, and that is the sum of all batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(arbitraryIntervals, fc.boolean()), { minLength: 1, maxLength: 3 * SLOTS }),
        async (steps) => {
          await ledger.close();
          rmSync(directory, { recursive: true, force: true });
          ledger = Ledger.open(directory);
          const total = new Map<string, number>();
          let sequence = 0;
          for (const [intervals, again] of steps) {
            sequence += 1;
            const statistics = { ...NO_STATISTICS, events: sequence };
            const batch = { ...batchOf([], sequence, 'p'), intervals, statistics };
            await apply(batch, NOW_MS + sequence);
            if (again) await apply(batch, NOW_MS + sequence);
            for (const { series, requests } of intervals.flatMap(({ deltas }): Delta[] => deltas)) {
              total.set(seriesKey(series), (total.get(seriesKey(series)) ?? 0) + requests);
            }
          }
          const inMemory = contentOf(ledger.state);
          await reopen();
          expect(contentOf(ledger.state)).toEqual(inMemory);
          const counted = [...ledger.state.series].map(([key, { requests }]) => [key, requests]);
          expect(new Map(counted as [string, number][])).toEqual(total);
        },
      ),
      { numRuns: 25, seed: 20261124 },
    );
  });
});

describe('a damaged store', () => {
  async function damage(change: (store: ReturnType<typeof openRaw>) => Promise<unknown>): Promise<string> {
    for (let sequence = 1; sequence <= 70; sequence++) {
      await apply(batchOf([deltaOf({ operation: `GET r${sequence % 7}` }, [sequence])], sequence));
    }
    await ledger.close();
    const store = openRaw();
    await change(store);
    await store.close();
    try {
      ledger = Ledger.open(directory);
    } catch (error) {
      expect(error).toBeInstanceOf(StoreFault);
      rmSync(directory, { recursive: true, force: true });
      ledger = Ledger.open(directory);
      return (error as Error).message;
    }
    throw new Error('the damage went unnoticed');
  }

  function openRaw() {
    return open<Buffer, Buffer>({
      path: join(directory, 'ledger.mdb'),
      encoding: 'binary',
      keyEncoding: 'binary',
    });
  }

  it('is noticed where a bit of a series was flipped', async () => {
    const message = await damage((store) => {
      const value = Buffer.from(store.get(seriesRecordKey(1)) ?? []);
      value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
      return store.put(seriesRecordKey(1), value);
    });
    expect(message).toContain('a series record does not match its checksum');
    expect(message).toContain(`Restore the whole directory ${directory} from a copy`);
  });

  it('is noticed where a series is missing', async () => {
    expect(await damage((store) => store.remove(seriesRecordKey(3)))).toContain('series 3 is missing');
  });

  it('is noticed where the additions of a transaction are missing', async () => {
    expect(await damage((store) => store.remove(additionsKey(69)))).toContain(
      'the additions of transaction 69 are missing',
    );
  });

  it('is noticed where the meta record is missing', async () => {
    expect(await damage((store) => store.remove(Buffer.from('m')))).toContain('the meta record is missing');
  });

  it('is noticed where an older series record has come back', async () => {
    expect(
      await damage(async (store) => {
        // As of a transaction whose additions are still there: only the totals can tell.
        const { entry, asOf } = decodeSeries(store.get(seriesRecordKey(1)) ?? Buffer.alloc(0));
        await store.put(
          seriesRecordKey(1),
          encodeSeries({ ...entry, requests: entry.requests - 1 }, asOf).value,
        );
      }),
    ).toContain('expected 7 series, 1 producers and 70 requests, found 7, 1 and 69');
  });

  it('is noticed where a record stands under the key of another', async () => {
    expect(
      await damage((store) =>
        store.put(seriesRecordKey(1), Buffer.from(store.get(seriesRecordKey(2)) ?? [])),
      ),
    ).toContain('a record has another key');
  });

  it('is noticed where a series was touched after the sidecar had ended', async () => {
    expect(
      await damage(async (store) => {
        const { entry, asOf } = decodeSeries(store.get(seriesRecordKey(1)) ?? Buffer.alloc(0));
        await store.put(seriesRecordKey(1), encodeSeries({ ...entry, seenAtRunningMs: 1 }, asOf).value);
      }),
    ).toContain('a record of 1 ms of running, where the sidecar ran for 0 ms');
  });

  it('is no damage where another release wrote it, whatever the form of its other records', async () => {
    const message = await damage(async (store) => {
      await store.put(Buffer.from('m'), sealed([STORE_VERSION + 1, 'what only that release knows']));
      await store.put(additionsKey(69), sealed('another form'));
    });
    expect(message).not.toContain('damaged');
    expect(message).toContain(
      `was written by another release: it has form ${STORE_VERSION + 1}, and this release reads form ${STORE_VERSION}. ` +
        `Run the release that wrote it, or move the whole directory ${directory} away`,
    );
  });

  it('is noticed where additions are under a number that no start reads', async () => {
    expect(
      await damage((store) => store.put(additionsKey(1_000), Buffer.from(store.get(additionsKey(69)) ?? []))),
    ).toContain(`expected ${SLOTS} additions, found ${SLOTS + 1}`);
  });
});

/** A record with its checksum. */
function sealed(content: unknown): Buffer {
  const body = encode(content);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([checksum, body]);
}

describe('a store file that lmdb itself cannot read', () => {
  it('is found out in a child process, and named', async () => {
    const { checkStore } = jest.requireActual<{ checkStore: typeof CheckStore }>(
      '../../../dist/sidecar/ledger/check-store.js',
    );
    for (let sequence = 1; sequence <= 200; sequence++) {
      await apply(batchOf([deltaOf({ operation: `GET r${sequence}` }, [sequence])], sequence));
    }
    await ledger.close();
    const path = join(directory, 'ledger.mdb');
    checkStore(directory);
    const whole = readFileSync(path);
    // A cut near the end may only take pages that were free; those before it hold records.
    for (const share of [0.1, 0.25, 0.4]) {
      truncateSync(path, Math.floor((whole.length * share) / 4096) * 4096);
      expect(() => checkStore(directory)).toThrow(
        /the ledger at .*ledger\.mdb is damaged: .+Restore the whole/,
      );
      writeFileSync(path, whole);
    }
    writeFileSync(path, 'this is not a store');
    expect(() => checkStore(directory)).toThrow(/is damaged/);
    writeFileSync(path, whole);
    ledger = Ledger.open(directory);
    expect(ledger.state.requests).toBe(200);
  });
});
