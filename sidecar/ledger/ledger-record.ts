// The records of the store, as bytes: a CRC-32 of the rest, then MessagePack. The store itself does not notice flipped
// bits, so each record is checked when it is read.
//
//   m                     meta      what is in the store, to check it against
//   p <producer>          producer  its last batches
//   s <slot> <id>         series    labels and cumulative values, as of one transaction
//   d <transaction>       additions what one transaction added to which series
//
// A key is at most 80 bytes. Numbers in keys are big-endian, so that keys sort by them.
import { crc32 } from 'node:zlib';
import { decode, encode } from '@msgpack/msgpack';
import { z } from 'zod';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { SOURCES } from '../../kong-plugin/contract/source';
import { PRODUCER_STATISTICS } from '../../kong-plugin/contract/batch';
import {
  RECENT_BATCHES,
  type Addition,
  type LedgerSeries,
  type LedgerState,
  type ProducerPosition,
} from './ledger-state';

/** The form of the records. A store of another one is left alone. */
export const STORE_VERSION = 2;

/**
 * Series are divided into this many slots. Each transaction writes one slot's changed series whole, so every series is
 * written whole once in so many transactions, and additions older than that are spent. See docs/decisions/001-ledger-store.md.
 */
export const SLOTS = 60;

export interface StoredRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** A record that cannot be what was written. */
export class DamagedRecord extends Error {}

/** The store has the form of another release. */
export class OtherVersion extends Error {
  constructor(readonly version: number) {
    super(`the store has form ${version}, not ${STORE_VERSION}`);
  }
}

const KIND_BYTES = { meta: 0x6d, producer: 0x70, series: 0x73, additions: 0x64 } as const;

export type RecordKind = keyof typeof KIND_BYTES;

export function kindOf(key: Uint8Array): RecordKind | undefined {
  return (Object.keys(KIND_BYTES) as RecordKind[]).find((kind) => KIND_BYTES[kind] === key[0]);
}

export function slotOf(seriesId: number): number {
  return seriesId % SLOTS;
}

export const META_KEY = Buffer.from([KIND_BYTES.meta]);

export function producerKey(producer: string): Buffer {
  return Buffer.concat([Buffer.from([KIND_BYTES.producer]), Buffer.from(producer)]);
}

export function seriesRecordKey(id: number): Buffer {
  return numberedKey([KIND_BYTES.series, slotOf(id)], id);
}

export function additionsKey(transaction: number): Buffer {
  return numberedKey([KIND_BYTES.additions], transaction);
}

function numberedKey(prefix: readonly number[], number: number): Buffer {
  const key = Buffer.alloc(prefix.length + 8);
  key.set(prefix);
  key.writeBigUInt64BE(BigInt(number), prefix.length);
  return key;
}

const wholeNumber = z.int().min(0);
const pairs = z.array(wholeNumber).refine((flat) => flat.length % 2 === 0, 'an odd number of parts');

/** What the meta record of every release begins with. */
const versionShape = z.tuple([wholeNumber]).rest(z.unknown());

const metaShape = z.tuple([
  z.literal(STORE_VERSION),
  z.object({
    transaction: wholeNumber,
    nextSeriesId: wholeNumber,
    seriesCount: wholeNumber,
    producerCount: wholeNumber,
    requests: wholeNumber,
    runningMs: wholeNumber,
    expiredSeries: wholeNumber,
    // One that an older release did not keep begins at 0.
    statistics: z.partialRecord(z.enum(PRODUCER_STATISTICS), wholeNumber),
  }),
]);

export type Meta = z.infer<typeof metaShape>[1];

export function encodeMeta(meta: Meta): StoredRecord {
  return { key: META_KEY, value: seal([STORE_VERSION, meta]) };
}

/** @throws DamagedRecord, OtherVersion */
export function decodeMeta(value: Uint8Array): Meta {
  const [version] = unseal(value, versionShape, 'meta');
  if (version !== STORE_VERSION) throw new OtherVersion(version);
  return unseal(value, metaShape, 'meta')[1];
}

const producerShape = z.tuple([
  z.string(),
  z
    .array(z.tuple([wholeNumber, z.string()])) // sequence, digest
    .min(1)
    .max(RECENT_BATCHES)
    .refine((recent) => recent.every(([sequence], at) => sequence > (recent[at - 1]?.[0] ?? 0)), 'no order'),
  wholeNumber, // last seen, Unix ms
  wholeNumber, // seen at, running ms
  z.boolean(), // has left
]);

export function encodeProducer(position: ProducerPosition): StoredRecord {
  const { producer, recent, lastSeenMs, seenAtRunningMs, hasLeft } = position;
  return {
    key: producerKey(producer),
    value: seal([
      producer,
      recent.map(({ sequence, digest }) => [sequence, digest]),
      lastSeenMs,
      seenAtRunningMs,
      hasLeft,
    ]),
  };
}

/** @throws DamagedRecord */
export function decodeProducer(value: Uint8Array): ProducerPosition {
  const [producer, pairsOfRecent, lastSeenMs, seenAtRunningMs, hasLeft] = unseal(
    value,
    producerShape,
    'producer',
  );
  const recent = pairsOfRecent.map(([sequence, digest]) => ({ sequence, digest }));
  return { producer, sequence: recent.at(-1)?.sequence ?? 0, recent, lastSeenMs, seenAtRunningMs, hasLeft };
}

const seriesShape = z.tuple([
  wholeNumber, // id
  wholeNumber, // as of this transaction
  wholeNumber, // touched in
  wholeNumber, // seen at, running ms
  z.tuple([z.string(), z.string(), wholeNumber, z.enum(SOURCES), z.string(), z.enum(SEVERITIES)]),
  wholeNumber, // requests
  wholeNumber, // sum, ms
  pairs, // cells
  pairs, // failed tries
]);

/** `asOf`: the last transaction whose additions are in the values. */
export function encodeSeries(entry: LedgerSeries, asOf: number): StoredRecord {
  const { service, operation, status, source, errorType, severity } = entry.series;
  return {
    key: seriesRecordKey(entry.id),
    value: seal([
      entry.id,
      asOf,
      entry.touchedIn,
      entry.seenAtRunningMs,
      [service, operation, status, source, errorType, severity],
      entry.requests,
      entry.upstream.sumMs,
      flatten(entry.upstream.cells),
      flatten(entry.failedTries),
    ]),
  };
}

/** @throws DamagedRecord */
export function decodeSeries(value: Uint8Array): { entry: LedgerSeries; asOf: number } {
  const [id, asOf, touchedIn, seenAtRunningMs, labels, requests, sumMs, cells, tries] = unseal(
    value,
    seriesShape,
    'series',
  );
  const [service, operation, status, source, errorType, severity] = labels;
  const entry: LedgerSeries = {
    id,
    series: { service, operation, status, source, errorType, severity },
    requests,
    upstream: histogramOf(sumMs, cells),
    failedTries: unflatten(tries),
    seenAtRunningMs,
    touchedIn,
  };
  return { entry, asOf };
}

const additionsShape = z.tuple([
  wholeNumber, // running ms at the transaction
  z.array(z.tuple([wholeNumber, wholeNumber, wholeNumber, pairs, pairs])),
]);

export interface Additions {
  readonly atRunningMs: number;
  readonly bySeriesId: ReadonlyMap<number, Addition>;
}

export function encodeAdditions(transaction: number, { atRunningMs, bySeriesId }: Additions): StoredRecord {
  const rows = [...bySeriesId].map(([id, { requests, upstream, failedTries }]) => [
    id,
    requests,
    upstream.sumMs,
    flatten(upstream.cells),
    flatten(failedTries),
  ]);
  return { key: additionsKey(transaction), value: seal([atRunningMs, rows]) };
}

/** @throws DamagedRecord */
export function decodeAdditions(value: Uint8Array): Additions {
  const [atRunningMs, rows] = unseal(value, additionsShape, 'additions');
  const bySeriesId = new Map<number, Addition>();
  for (const [id, requests, sumMs, cells, tries] of rows) {
    bySeriesId.set(id, { requests, upstream: histogramOf(sumMs, cells), failedTries: unflatten(tries) });
  }
  return { atRunningMs, bySeriesId };
}

export function metaOf(state: LedgerState): Meta {
  return {
    transaction: state.transaction,
    nextSeriesId: state.nextSeriesId,
    seriesCount: state.series.size,
    producerCount: state.producers.size,
    requests: state.requests,
    runningMs: state.runningMs,
    expiredSeries: state.expiredSeries,
    statistics: { ...state.statistics },
  };
}

function seal(content: unknown): Buffer {
  const body = encode(content);
  const value = Buffer.allocUnsafe(4 + body.length);
  value.set(body, 4);
  value.writeUInt32BE(crc32(body));
  return value;
}

function unseal<Shape extends z.ZodType>(value: Uint8Array, shape: Shape, what: string): z.infer<Shape> {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length < 5 || crc32(bytes.subarray(4)) !== bytes.readUInt32BE()) {
    throw new DamagedRecord(`a ${what} record does not match its checksum`);
  }
  let content: unknown;
  try {
    content = decode(bytes.subarray(4));
  } catch {
    throw new DamagedRecord(`a ${what} record is not MessagePack`);
  }
  const read = shape.safeParse(content);
  if (!read.success) {
    const issue = read.error.issues[0];
    throw new DamagedRecord(
      `a ${what} record is of another form: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    );
  }
  return read.data;
}

function flatten(map: ReadonlyMap<number, number>): number[] {
  const flat: number[] = [];
  for (const [key, count] of map) flat.push(key, count);
  return flat;
}

function unflatten(flat: readonly number[]): Map<number, number> {
  const map = new Map<number, number>();
  for (let at = 0; at < flat.length; at += 2) map.set(flat[at] ?? 0, flat[at + 1] ?? 0);
  return map;
}

function histogramOf(sumMs: number, cells: readonly number[]): Addition['upstream'] {
  const map = unflatten(cells);
  let count = 0;
  for (const observations of map.values()) count += observations;
  return { count, sumMs, cells: map };
}
