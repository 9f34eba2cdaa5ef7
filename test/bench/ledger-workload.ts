/**
 * The ledger's work, made up but repeatable: series with millisecond cells, batches that touch them, and three ways
 * to lay a batch out as puts and deletes.
 * In: a size (series, touched per batch, cells per series) and a layout. Out: puts and deletes for one transaction
 * each, and a reader that gives the number of events back from what a store holds.
 * Values: varint batch number, count, sum (ms), then (gap to the previous cell, count) pairs. Keys are about 80 bytes.
 */
export const FOLD_EVERY_BATCHES = 60;

export type Layout = 'rewrite' | 'fold' | 'rolling' | 'rolling-ids';

export interface Size {
  readonly series: number;
  readonly touchedPerBatch: number;
  readonly minCells: number;
  readonly maxCells: number;
}

export interface Put {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface Transaction {
  readonly puts: readonly Put[];
  readonly deletes: readonly Buffer[];
}

interface Series {
  readonly key: Buffer;
  readonly medianMs: number;
  readonly cells: number[];
  readonly counts: number[];
  count: number;
  sumMs: number;
  dirty: boolean;
}

/** A small repeatable generator (xorshift), so that every candidate gets the same work. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

function putVarint(target: Buffer, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 128) {
    target[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

function readVarint(source: Uint8Array, offset: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let at = offset; ; at++) {
    const byte = source[at] ?? 0;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return { value, next: at + 1 };
  }
}

const deltaKey = (batch: number): Buffer => Buffer.from(`d${String(batch).padStart(12, '0')}`);
const producerKey = Buffer.from('p0f4c1f7e-6f0e-4f6e-9d0c-3a7d0c5b9a11');
const metaKey = Buffer.from('m');

/** Holds all series in memory, as the sidecar does, and turns each batch into one transaction. */
export class Workload {
  readonly #random = randomSource(20_260_101);
  readonly #series: Series[] = [];
  readonly #scratch = Buffer.allocUnsafeSlow(4 << 20);
  #batch = 0;
  events = 0;

  constructor(
    readonly size: Size,
    readonly layout: Layout,
  ) {
    for (let index = 0; index < size.series; index++) this.#series.push(this.#newSeries(index));
  }

  /** The first contents of the store: every series, in slices of 5,000. */
  *initial(): Generator<Transaction> {
    for (let from = 0; from < this.#series.length; from += 5_000) {
      yield { puts: this.#series.slice(from, from + 5_000).map((series) => this.#put(series)), deletes: [] };
    }
  }

  /** The next batch: one event for each touched series. */
  next(): Transaction {
    const batch = ++this.#batch;
    const { series: total, touchedPerBatch } = this.size;
    const touched: { index: number; cell: number }[] = [];
    // A step that shares no factor with 5,000 or 50,000 visits different series, scattered over the keys.
    for (let n = 0; n < touchedPerBatch; n++) {
      const index = (((batch * touchedPerBatch + n) % total) * 7_919) % total;
      touched.push({ index, cell: this.#observe(this.#at(index)) });
    }
    const puts: Put[] = [];
    const deletes: Buffer[] = [];
    if (this.layout === 'rewrite') {
      for (const { index } of touched) puts.push(this.#put(this.#at(index)));
    } else {
      puts.push({ key: deltaKey(batch), value: this.#delta(touched) });
    }
    if (this.layout === 'fold' && batch % FOLD_EVERY_BATCHES === 0) {
      for (const series of this.#series) if (series.dirty) puts.push(this.#put(series));
      for (let old = batch - FOLD_EVERY_BATCHES + 1; old < batch; old++) deletes.push(deltaKey(old));
      puts[0] = { key: deltaKey(batch), value: Buffer.alloc(0) };
    }
    if (this.layout === 'rolling' || this.layout === 'rolling-ids') {
      // One sixtieth of the series, neighbours on disk, is written whole; deltas older than a round are then spent.
      const slice = batch % FOLD_EVERY_BATCHES;
      const from = Math.floor((slice * total) / FOLD_EVERY_BATCHES);
      const to = Math.floor(((slice + 1) * total) / FOLD_EVERY_BATCHES);
      for (let index = from; index < to; index++) {
        const series = this.#at(index);
        if (series.dirty) puts.push(this.#put(series));
      }
      if (batch > FOLD_EVERY_BATCHES) deletes.push(deltaKey(batch - FOLD_EVERY_BATCHES));
    }
    puts.push({ key: producerKey, value: Buffer.alloc(48, batch % 251) });
    puts.push({ key: metaKey, value: Buffer.alloc(64, batch % 251) });
    return { puts, deletes };
  }

  #newSeries(index: number): Series {
    const service = String(Math.floor(index / 50)).padStart(4, '0');
    const route = String(index).padStart(6, '0');
    const series: Series = {
      key: Buffer.from(
        `sbackend-service-${service}\0GET route-of-the-service-${route}\0${200 + (index % 5)}\0upstream\0`,
      ),
      medianMs: 200 + this.#random() * 300,
      cells: [],
      counts: [],
      count: 0,
      sumMs: 0,
      dirty: false,
    };
    const wanted = this.size.minCells + this.#random() * (this.size.maxCells - this.size.minCells);
    // The number of tries is bounded: a narrow series may not have that many different times in it.
    for (let tries = 0; tries < 5_000 && series.cells.length < wanted; tries++) this.#observe(series);
    series.dirty = false;
    return series;
  }

  #at(index: number): Series {
    const series = this.#series[index];
    if (series === undefined) throw new RangeError(`no series ${index}`);
    return series;
  }

  /** One event: a time around the series' median, rarely far above it. Returns its cell. */
  #observe(series: Series): number {
    const normal = this.#random() + this.#random() + this.#random() - 1.5;
    const ms = Math.max(1, Math.round(series.medianMs * Math.exp(normal * 0.6 * (this.size.maxCells / 200))));
    const cell = ms < 2_000 ? ms : 1_800 + Math.round(Math.log10(ms) * 60);
    let low = 0;
    let high = series.cells.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((series.cells[middle] ?? 0) < cell) low = middle + 1;
      else high = middle;
    }
    if (series.cells[low] === cell) series.counts[low] = (series.counts[low] ?? 0) + 1;
    else {
      series.cells.splice(low, 0, cell);
      series.counts.splice(low, 0, 1);
    }
    series.count += 1;
    series.sumMs += ms;
    series.dirty = true;
    this.events += 1;
    return cell;
  }

  #put(series: Series): Put {
    let at = putVarint(this.#scratch, 0, this.#batch);
    at = putVarint(this.#scratch, at, series.count);
    at = putVarint(this.#scratch, at, series.sumMs);
    let previous = 0;
    for (let n = 0; n < series.cells.length; n++) {
      const cell = series.cells[n] ?? 0;
      at = putVarint(this.#scratch, at, cell - previous);
      at = putVarint(this.#scratch, at, series.counts[n] ?? 0);
      previous = cell;
    }
    series.dirty = false;
    return { key: series.key, value: Buffer.from(this.#scratch.subarray(0, at)) };
  }

  #delta(touched: readonly { index: number; cell: number }[]): Buffer {
    let at = 0;
    for (const { index, cell } of touched) {
      at = putVarint(this.#scratch, at, index);
      // 'rolling-ids' assumes a table of series numbers; the others carry the labels in each delta.
      if (this.layout !== 'rolling-ids') at += this.#at(index).key.copy(this.#scratch, at);
      for (const part of [1, cell, cell, 1]) at = putVarint(this.#scratch, at, part);
    }
    return Buffer.from(this.#scratch.subarray(0, at));
  }
}

/** Adds up what a store holds; `events` must equal the workload's, or the store lost or doubled something. */
export class Recount {
  readonly #folded = new Map<string, number>();
  readonly #keyOf: readonly string[];
  readonly #keyBytes: readonly number[];
  events = 0;

  constructor(
    workload: Workload,
    readonly layout: Layout,
  ) {
    const keys = [...workload.initial()].flatMap(({ puts }) => puts.map(({ key }) => key));
    this.#keyOf = keys.map((key) => key.toString('latin1'));
    this.#keyBytes = keys.map((key) => key.length);
  }

  series(key: Uint8Array, value: Uint8Array): void {
    const batch = readVarint(value, 0);
    const count = readVarint(value, batch.next);
    const sum = readVarint(value, count.next);
    let inCells = 0;
    for (let at = sum.next; at < value.length;) {
      const cell = readVarint(value, at);
      const number = readVarint(value, cell.next);
      inCells += number.value;
      at = number.next;
    }
    if (inCells !== count.value)
      throw new Error(`a series holds ${inCells} in its cells but counts ${count.value}`);
    this.#folded.set(Buffer.from(key).toString('latin1'), batch.value);
    this.events += count.value;
  }

  /** Call after all series: a delta counts only for a series that was last written before it. */
  delta(key: Uint8Array, value: Uint8Array): void {
    const batch = Number(Buffer.from(key).toString('latin1').slice(1));
    for (let at = 0; at < value.length;) {
      const index = readVarint(value, at);
      at = index.next + (this.layout === 'rolling-ids' ? 0 : (this.#keyBytes[index.value] ?? 0));
      const count = readVarint(value, at);
      at = count.next;
      for (let part = 0; part < 3; part++) at = readVarint(value, at).next;
      if (batch > (this.#folded.get(this.#keyOf[index.value] ?? '') ?? 0)) this.events += count.value;
    }
  }
}
