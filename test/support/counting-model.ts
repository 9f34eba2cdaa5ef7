// What the ledger must hold after some batches, by plain addition in numbers without limit. It is written without the
// ledger's own code, so that the two can be compared.
import type { Batch } from '../../kong-plugin/contract/batch';
import { seriesKey } from '../../kong-plugin/contract/delta';
import type { LedgerSeries } from '../../sidecar/ledger/ledger-state';

/** An older one that comes again is not told from one that never came. */
const KNOWN_BATCHES = 16;

interface Counts {
  requests: bigint;
  sumMs: bigint;
  readonly cells: Map<number, bigint>;
  readonly tries: Map<number, bigint>;
}

export class CountingModel {
  /** Of each producer the batches that count, in the order in which they came. */
  readonly #taken = new Map<string, { sequence: number; bytes: string }[]>();
  readonly #series = new Map<string, Counts>();
  events = 0n;
  missingBatches = 0n;

  /** Takes a batch that was read, as often as it comes. */
  take(batch: Batch, bytes: Buffer): 'applied' | 'duplicate' | 'conflict' | 'late' {
    const { producer, sequence } = batch;
    const sealed = bytes.toString('latin1');
    const taken = this.#taken.get(producer) ?? [];
    const last = taken.at(-1);
    if (last && sequence <= last.sequence) {
      const same = taken.slice(-KNOWN_BATCHES).find((one) => one.sequence === sequence);
      if (!same) return 'late';
      return sealed === same.bytes ? 'duplicate' : 'conflict';
    }
    if (last) this.missingBatches += BigInt(sequence - last.sequence - 1);
    this.#taken.set(producer, [...taken, { sequence, bytes: sealed }]);
    this.events += BigInt(batch.statistics.events);
    for (const { deltas } of batch.intervals) {
      for (const { series, requests, upstream, failedTries } of deltas) {
        const key = seriesKey(series);
        const counts = this.#series.get(key) ?? {
          requests: 0n,
          sumMs: 0n,
          cells: new Map<number, bigint>(),
          tries: new Map<number, bigint>(),
        };
        this.#series.set(key, counts);
        counts.requests += BigInt(requests);
        counts.sumMs += BigInt(upstream.sumMs);
        addAll(counts.cells, upstream.cells);
        addAll(counts.tries, failedTries);
      }
    }
    return 'applied';
  }

  get requests(): bigint {
    return [...this.#series.values()].reduce((sum, { requests }) => sum + requests, 0n);
  }

  get seriesCount(): number {
    return this.#series.size;
  }

  /** What differs between a ledger and this; empty if nothing does. */
  differences(series: ReadonlyMap<string, LedgerSeries>): string[] {
    const found: string[] = [];
    if (series.size !== this.#series.size)
      found.push(`${series.size} series instead of ${this.#series.size}`);
    for (const [key, expected] of this.#series) {
      const entry = series.get(key);
      if (!entry) {
        found.push(`${key} is missing`);
        continue;
      }
      if (BigInt(entry.requests) !== expected.requests) found.push(`requests of ${key}`);
      if (BigInt(entry.upstream.sumMs) !== expected.sumMs) found.push(`sum of ${key}`);
      if (!sameCounts(entry.upstream.cells, expected.cells)) found.push(`cells of ${key}`);
      if (!sameCounts(entry.failedTries, expected.tries)) found.push(`failed tries of ${key}`);
    }
    return found;
  }
}

function addAll(target: Map<number, bigint>, counts: ReadonlyMap<number, number>): void {
  for (const [key, count] of counts) target.set(key, (target.get(key) ?? 0n) + BigInt(count));
}

function sameCounts(actual: ReadonlyMap<number, number>, expected: ReadonlyMap<number, bigint>): boolean {
  if (actual.size !== expected.size) return false;
  return [...expected].every(([key, count]) => BigInt(actual.get(key) ?? -1) === count);
}
