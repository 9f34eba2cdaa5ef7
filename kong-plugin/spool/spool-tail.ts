// What happened after the checkpoint, one small record each: an observation, or that a batch is settled. Each event of Kong
// passes here, so an observation is written as bytes by hand, and its series by the number it was given in this file.
import { decode, encode } from '@msgpack/msgpack';
import { seriesKey, type Series } from '../contract/delta';
import type { Severity } from '../contract/severity';
import type { Source } from '../contract/source';
import type { Observation } from '../observation';
import { HEADER_BYTES, sealInPlace, sealRecord } from './spool-record';

export type TailEntry =
  | { readonly kind: 'observation'; readonly observation: Observation; readonly atMs: number }
  /** The batch has its receipt, or is set aside. */
  | { readonly kind: 'settled'; readonly sequence: number };

/** The first byte of a payload. */
const SERIES = 0x73;
const OBSERVATION = 0x6f;
const SETTLED = 0x72;

const MALFORMED = 1;
const CLOCK_FAULT = 2;
const REACHED_UPSTREAM = 4;

/**
 * Kind, flags, series (4), number of failed tries (4), arrival in Unix ms (8), upstream time in ms (8). Two for each try follow,
 * then to the end each failed address with its length (1) before it. Releases that did not know addresses wrote none, and read
 * past them.
 */
const OBSERVATION_BYTES = 26;

export class TailWriter {
  readonly #numbers = new Map<string, number>();
  /** The same by the object itself: while a series is counted in one interval, it is one object. */
  readonly #numbersOfObjects = new WeakMap<Series, number>();
  #scratch = Buffer.allocUnsafe(256);

  /**
   * One record, or two where the series is new to this file. Valid until the next call.
   *
   * @param series under which it is counted: those are few, whatever names come
   */
  observation(observation: Observation, series: Series, atMs: number): Buffer {
    const same = this.#numbersOfObjects.get(series);
    if (same !== undefined) return this.#write(observation, same, atMs);
    const key = seriesKey(series);
    const known = this.#numbers.get(key);
    const number = known ?? this.#numbers.size;
    this.#numbersOfObjects.set(series, number);
    if (known !== undefined) return this.#write(observation, known, atMs);
    this.#numbers.set(key, number);
    const { service, operation, status, source, errorType, severity } = series;
    const row = encode([service, operation, status, source, errorType, severity]);
    return Buffer.concat([
      sealRecord(Buffer.concat([Buffer.of(SERIES), row])),
      this.#write(observation, number, atMs),
    ]);
  }

  settled(sequence: number): Buffer {
    const payload = Buffer.alloc(9, SETTLED);
    payload.writeDoubleBE(sequence, 1);
    return sealRecord(payload);
  }

  #write(observation: Observation, number: number, atMs: number): Buffer {
    const { malformed, clockFault, upstreamMs, failedTryCodes, failedAddresses } = observation;
    let length = HEADER_BYTES + OBSERVATION_BYTES + 2 * failedTryCodes.length;
    for (const address of failedAddresses) length += 1 + address.length;
    if (length > this.#scratch.length) this.#scratch = Buffer.allocUnsafe(2 * length);
    const record = this.#scratch.subarray(0, length);
    let at = record.writeUInt8(OBSERVATION, HEADER_BYTES);
    at = record.writeUInt8(
      (malformed ? MALFORMED : 0) |
        (clockFault ? CLOCK_FAULT : 0) |
        (upstreamMs === undefined ? 0 : REACHED_UPSTREAM),
      at,
    );
    at = record.writeUInt32BE(number, at);
    at = record.writeUInt32BE(failedTryCodes.length, at);
    at = record.writeDoubleBE(atMs, at);
    at = record.writeDoubleBE(upstreamMs ?? 0, at);
    for (const code of failedTryCodes) at = record.writeUInt16BE(code, at);
    for (const address of failedAddresses) {
      at = record.writeUInt8(address.length, at);
      at += record.write(address, at, 'latin1');
    }
    sealInPlace(record);
    return record;
  }
}

/** @throws Error where a payload is of another release */
export function* readTail(payloads: readonly Buffer[]): Generator<TailEntry> {
  const series: SeriesRow[] = [];
  for (const payload of payloads) {
    switch (payload[0]) {
      case SERIES:
        series.push(decode(payload.subarray(1)) as SeriesRow);
        break;
      case OBSERVATION:
        yield readObservation(payload, series);
        break;
      case SETTLED:
        yield { kind: 'settled', sequence: payload.readDoubleBE(1) };
        break;
      default:
        throw new Error('it is of another release');
    }
  }
}

type SeriesRow = [string, string, number, Source, string, Severity];

function readObservation(payload: Buffer, series: readonly SeriesRow[]): TailEntry {
  const flags = payload.readUInt8(1);
  const row = series[payload.readUInt32BE(2)];
  if (!row) throw new Error('it names a series that it does not have');
  const [service, operation, status, source, errorType, severity] = row;
  const tries = payload.readUInt32BE(6);
  const observation: Observation = {
    service,
    operation,
    status,
    source,
    errorType,
    severity,
    upstreamMs: (flags & REACHED_UPSTREAM) === 0 ? undefined : payload.readDoubleBE(18),
    // Not in any delta.
    gatewayMs: 0,
    failedTryCodes: Array.from({ length: tries }, (_, index) =>
      payload.readUInt16BE(OBSERVATION_BYTES + 2 * index),
    ),
    failedAddresses: readAddresses(payload, OBSERVATION_BYTES + 2 * tries),
    clockFault: (flags & CLOCK_FAULT) !== 0,
    malformed: (flags & MALFORMED) !== 0,
  };
  return { kind: 'observation', observation, atMs: payload.readDoubleBE(10) };
}

function readAddresses(payload: Buffer, begin: number): string[] {
  const addresses: string[] = [];
  for (let at = begin; at < payload.length;) {
    const from = at + 1;
    at = from + payload.readUInt8(at);
    addresses.push(payload.toString('latin1', from, at));
  }
  return addresses;
}
