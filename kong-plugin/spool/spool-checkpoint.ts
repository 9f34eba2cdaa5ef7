// All that a producer has not been given a receipt for, as one record: the first of its spool. MessagePack, with each series
// written once.
import { decode, encode } from '@msgpack/msgpack';
import { noStatistics, type Taken } from '../accumulator';
import type { Interval, ProducerStatistics } from '../contract/batch';
import { seriesKey, type Delta, type Series } from '../contract/delta';
import type { Severity } from '../contract/severity';
import type { Source } from '../contract/source';
import type { SealedBatch } from '../seal-batches';

const CHECKPOINT_VERSION = 1;

export interface Checkpoint {
  readonly producer: string;
  readonly nextSequence: number;
  /** Sent or to be sent, as they are. */
  readonly sealed: readonly SealedBatch[];
  /** Not sealed yet. */
  readonly pending: Taken;
  /** How the process that wrote it stands to it. `owned`: found so, the process died. */
  readonly state: CheckpointState;
}

/** `adopted`: its death is counted. `left`: it ended in order, with what it could not deliver. */
export type CheckpointState = 'owned' | 'adopted' | 'left';

export function encodeCheckpoint({ producer, nextSequence, sealed, pending, state }: Checkpoint): Uint8Array {
  const series: SeriesRow[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (one: Series): number => {
    const key = seriesKey(one);
    let number = numbers.get(key);
    if (number === undefined) {
      numbers.set(key, (number = series.length));
      series.push([one.service, one.operation, one.status, one.source, one.errorType, one.severity]);
    }
    return number;
  };
  const intervals = pending.intervals.map(({ startMs, durationMs, deltas }): IntervalRow => [
    startMs,
    durationMs,
    deltas.map(({ series: one, requests, upstream, failedTries, failedAddresses }): DeltaRow => [
      numberOf(one),
      requests,
      upstream.sumMs,
      [...upstream.cells].flat(),
      [...failedTries].flat(),
      [...failedAddresses],
    ]),
  ]);
  const row: CheckpointRow = [
    CHECKPOINT_VERSION,
    producer,
    nextSequence,
    state,
    sealed.map(({ sequence, requests, bytes }) => [sequence, requests, bytes]),
    series,
    intervals,
    { ...pending.statistics },
  ];
  return encode(row);
}

/** @throws Error where the bytes are of another release */
export function decodeCheckpoint(payload: Uint8Array): Checkpoint {
  const row = decode(payload) as Partial<CheckpointRow>;
  if (!Array.isArray(row) || row[0] !== CHECKPOINT_VERSION) throw new Error('it is of another release');
  // The checksum has shown that these are the bytes that encodeCheckpoint gave.
  const [, producer, nextSequence, state, sealed, seriesRows, intervals, statistics] = row as CheckpointRow;
  const series = seriesRows.map(([service, operation, status, source, errorType, severity]): Series => ({
    service,
    operation,
    status,
    source,
    errorType,
    severity,
  }));
  return {
    producer,
    nextSequence,
    state,
    sealed: sealed.map(([sequence, requests, bytes]) => ({
      producer,
      sequence,
      requests,
      bytes: Buffer.from(bytes),
    })),
    pending: {
      intervals: intervals.map(([startMs, durationMs, deltas]): Interval => ({
        startMs,
        durationMs,
        deltas: deltas.flatMap((delta) => deltaOf(delta, series)),
      })),
      statistics: { ...noStatistics(), ...statistics },
    },
  };
}

type SeriesRow = [string, string, number, Source, string, Severity];
type DeltaRow = [
  series: number,
  requests: number,
  sumMs: number,
  cells: number[],
  failedTries: number[],
  /** Releases that did not know them wrote none, and read past them. */
  failedAddresses?: [address: string, count: number][],
];
type IntervalRow = [startMs: number, durationMs: number, deltas: DeltaRow[]];
type CheckpointRow = [
  version: number,
  producer: string,
  nextSequence: number,
  state: CheckpointState,
  sealed: [sequence: number, requests: number, bytes: Uint8Array][],
  series: SeriesRow[],
  intervals: IntervalRow[],
  statistics: Partial<ProducerStatistics>,
];

function deltaOf(
  [number, requests, sumMs, cells, failedTries, failedAddresses = []]: DeltaRow,
  series: readonly Series[],
): Delta[] {
  const one = series[number];
  if (!one) return [];
  const counts = pairsOf(cells);
  let count = 0;
  for (const observations of counts.values()) count += observations;
  return [
    {
      series: one,
      requests,
      upstream: { count, sumMs, cells: counts },
      failedTries: pairsOf(failedTries),
      failedAddresses: new Map(failedAddresses),
    },
  ];
}

function pairsOf(flat: readonly number[]): Map<number, number> {
  const map = new Map<number, number>();
  for (let at = 0; at + 1 < flat.length; at += 2) map.set(Number(flat[at]), Number(flat[at + 1]));
  return map;
}
