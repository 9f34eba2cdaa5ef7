// From the bytes of a request to a batch, or to the first thing that is wrong with them. Strict: a batch is counted whole
// or not at all, and a field that this version does not know is a fault, since counting without it might be wrong.
import {
  BATCH_VERSION,
  PROCESS_FIGURES,
  PRODUCER_STATISTICS,
  encodeBatch,
} from '../../kong-plugin/contract/batch';
import type { Batch, Interval, ProcessFigures, ProducerStatistics } from '../../kong-plugin/contract/batch';
import { seriesKey, type Delta, type Series } from '../../kong-plugin/contract/delta';
import { MAX_ADDRESSES, MAX_ADDRESS_CHARACTERS, isAddress } from '../../kong-plugin/contract/failed-address';
import type { Fault, FaultCode } from '../../kong-plugin/contract/fault';
import { MAX_LABEL_BYTES, labelText } from '../../kong-plugin/contract/label-text';
import { isCell, shortestOf } from '../../kong-plugin/contract/histogram';
import { OTHER } from '../../kong-plugin/contract/label-text';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { SOURCES } from '../../kong-plugin/contract/source';

export type ReadBatch =
  { readonly ok: true; readonly batch: Batch } | { readonly ok: false; readonly fault: Fault };

/** More than any gateway does in an hour, and small enough that sums stay exact for centuries. */
const MAX_COUNT = 1e12;
const MAX_INTERVAL_MS = 24 * 60 * 60 * 1000;

class Refusal extends Error {
  constructor(
    readonly code: FaultCode,
    message: string,
  ) {
    super(message);
  }
}

/** Never throws. */
export function readBatch(bytes: Uint8Array): ReadBatch {
  return read(() => {
    const batch = batchOf(parse(bytes));
    if (!encodeBatch(batch).equals(bytes)) {
      throw new Refusal(
        'invalid_batch',
        'expected the encoding of the plugin, found another one: a repeated key, spaces, or keys in another order',
      );
    }
    return batch;
  });
}

/** Of bytes that `readBatch` has taken before, which takes a third less time. Never throws. */
export function readBatchAgain(bytes: Uint8Array): ReadBatch {
  return read(() => batchOf(parse(bytes)));
}

function read(take: () => Batch): ReadBatch {
  try {
    return { ok: true, batch: take() };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, fault: { fault: error.code, message: error.message } };
    throw error;
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal('not_json', 'expected a JSON document in UTF-8, found something else or a part of one');
  }
}

function batchOf(document: unknown): Batch {
  const { version } = objectAt(document, 'the batch');
  if (version !== BATCH_VERSION) {
    throw new Refusal(
      'wrong_version',
      `version: expected ${BATCH_VERSION}, found ${show(version)}. Run the same release of plugin and sidecar`,
    );
  }
  const fields = exactly(document, 'the batch', [
    'version',
    'producer',
    'sequence',
    'intervals',
    'statistics',
    'process',
    'isGoodbye',
  ]);
  const batch: Batch = {
    producer: matching(fields['producer'], 'producer', /^[0-9A-Za-z-]{1,64}$/),
    sequence: whole(fields['sequence'], 'sequence', 1, Number.MAX_SAFE_INTEGER),
    intervals: listOf(fields['intervals'], 'intervals', intervalAt),
    statistics: statisticsAt(fields['statistics']),
    process: fields['process'] === null ? null : processAt(fields['process']),
    isGoodbye: trueOrFalse(fields['isGoodbye'], 'isGoodbye'),
  };
  // So that one that is repeated after its producer was forgotten counts nothing again.
  if (batch.isGoodbye && countsAnything(batch)) refuse('isGoodbye', 'false in a batch that counts', 'true');
  return batch;
}

function countsAnything({ intervals, statistics }: Batch): boolean {
  return intervals.length > 0 || PRODUCER_STATISTICS.some((name) => statistics[name] > 0);
}

function intervalAt(value: unknown, place: string): Interval {
  const fields = exactly(value, place, ['startMs', 'durationMs', 'deltas']);
  const seen = new Set<string>();
  return {
    startMs: whole(fields['startMs'], `${place}.startMs`, 0, Number.MAX_SAFE_INTEGER),
    durationMs: whole(fields['durationMs'], `${place}.durationMs`, 1, MAX_INTERVAL_MS),
    deltas: listOf(fields['deltas'], `${place}.deltas`, (entry, deltaPlace) => {
      const delta = deltaAt(entry, deltaPlace);
      const key = seriesKey(delta.series);
      if (seen.has(key))
        refuse(
          deltaPlace,
          'a series once in an interval',
          `${JSON.stringify(Object.values(delta.series))} again`,
        );
      seen.add(key);
      return delta;
    }),
  };
}

const DELTA_FIELDS = [
  'service',
  'operation',
  'status',
  'source',
  'errorType',
  'severity',
  'requests',
  'upstreamSumMs',
  'upstreamCells',
  'failedTries',
] as const;

/** A plugin leaves it out where it has nothing to tell, or is of a release that did not tell it. */
const FAILED_ADDRESSES = 'failedAddresses';

function deltaAt(value: unknown, place: string): Delta {
  const fields = exactly(value, place, DELTA_FIELDS, FAILED_ADDRESSES);
  const requests = whole(fields.requests, `${place}.requests`, 1, MAX_COUNT);
  const sumMs = whole(fields.upstreamSumMs, `${place}.upstreamSumMs`, 0, Number.MAX_SAFE_INTEGER);
  const cells = pairsAt(fields.upstreamCells, `${place}.upstreamCells`, (ms, where) => {
    if (typeof ms !== 'number' || !isCell(ms)) refuse(where, 'a histogram cell in whole ms', show(ms));
    return ms;
  });
  let count = 0;
  let [leastSumMs, mostSumMs] = [0, 0];
  for (const [cellMs, observations] of cells) {
    count += observations;
    leastSumMs += observations * shortestOf(cellMs);
    mostSumMs += observations * cellMs;
  }
  if (count > requests) refuse(`${place}.upstreamCells`, `at most ${requests} observations`, String(count));
  if (sumMs < leastSumMs || sumMs > mostSumMs) {
    refuse(`${place}.upstreamSumMs`, `from ${leastSumMs} to ${mostSumMs}, as its cells say`, String(sumMs));
  }
  const failedTries = pairsAt(fields.failedTries, `${place}.failedTries`, (code, where) =>
    whole(code, where, 0, 999),
  );
  return {
    series: seriesAt(fields, place),
    requests,
    upstream: { count, sumMs, cells },
    failedTries,
    failedAddresses: failedAddressesAt(
      fields.failedAddresses,
      `${place}.${FAILED_ADDRESSES}`,
      requests + sumOf(failedTries),
    ),
  };
}

/** @param mostFailures each failed try has at most one address, and so has the answer to each request */
function failedAddressesAt(value: unknown, place: string, mostFailures: number): Map<string, number> {
  if (value === undefined) return new Map();
  const addresses = pairsAt(value, place, addressAt);
  const named = addresses.size - Number(addresses.has(OTHER));
  if (addresses.size === 0) refuse(place, 'an address, or no such field', 'none');
  if (named > MAX_ADDRESSES) refuse(place, `at most ${MAX_ADDRESSES} addresses`, String(named));
  const failures = sumOf(addresses);
  if (failures > mostFailures) refuse(place, `at most ${mostFailures} failures`, String(failures));
  return addresses;
}

function addressAt(value: unknown, place: string): string {
  if (typeof value !== 'string' || !isAddress(value)) {
    refuse(place, `an address of at most ${MAX_ADDRESS_CHARACTERS} printable ASCII characters`, show(value));
  }
  return value;
}

function sumOf(counts: ReadonlyMap<unknown, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

function seriesAt(fields: Record<(typeof DELTA_FIELDS)[number], unknown>, place: string): Series {
  return {
    service: label(fields.service, `${place}.service`),
    operation: label(fields.operation, `${place}.operation`),
    status: whole(fields.status, `${place}.status`, 0, 999),
    source: oneOf(fields.source, `${place}.source`, SOURCES),
    errorType: label(fields.errorType, `${place}.errorType`),
    severity: oneOf(fields.severity, `${place}.severity`, SEVERITIES),
  };
}

function statisticsAt(value: unknown): ProducerStatistics {
  const fields = exactly(value, 'statistics', PRODUCER_STATISTICS);
  const entries = PRODUCER_STATISTICS.map((name) => [
    name,
    whole(fields[name], `statistics.${name}`, 0, MAX_COUNT),
  ]);
  return Object.fromEntries(entries) as ProducerStatistics;
}

function processAt(value: unknown): ProcessFigures {
  const fields = exactly(value, 'process', PROCESS_FIGURES);
  const entries = PROCESS_FIGURES.map((name) => [
    name,
    whole(fields[name], `process.${name}`, 0, Number.MAX_SAFE_INTEGER),
  ]);
  return Object.fromEntries(entries) as ProcessFigures;
}

function pairsAt<Key extends number | string>(
  value: unknown,
  place: string,
  keyAt: (value: unknown, place: string) => Key,
): Map<Key, number> {
  const map = new Map<Key, number>();
  for (const [index, entry] of listAt(value, place).entries()) {
    const where = `${place}[${index}]`;
    if (!Array.isArray(entry) || entry.length !== 2) refuse(where, 'a pair', show(entry));
    const [first, count] = entry as [unknown, unknown];
    const key = keyAt(first, `${where}[0]`);
    if (map.has(key))
      refuse(where, typeof key === 'number' ? 'a number once' : 'an address once', `${key} again`);
    map.set(key, whole(count, `${where}[1]`, 1, MAX_COUNT));
  }
  return map;
}

function exactly<Name extends string, Optional extends string = never>(
  value: unknown,
  place: string,
  names: readonly Name[],
  optional?: Optional,
): Record<Name | Optional, unknown> {
  const fields = objectAt(value, place);
  for (const name of names) if (!Object.hasOwn(fields, name)) refuse(place, `the field ${name}`, 'none');
  for (const name of Object.keys(fields)) {
    if (name !== optional && !(names as readonly string[]).includes(name))
      refuse(place, 'only known fields', `the field ${shorten(name)}`);
  }
  return fields;
}

function objectAt(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(place, 'an object', show(value));
  return value as Record<string, unknown>;
}

function listAt(value: unknown, place: string): unknown[] {
  if (!Array.isArray(value)) refuse(place, 'a list', show(value));
  return value as unknown[];
}

function listOf<Entry>(
  value: unknown,
  place: string,
  entryAt: (value: unknown, place: string) => Entry,
): Entry[] {
  return listAt(value, place).map((entry, index) => entryAt(entry, `${place}[${index}]`));
}

function whole(value: unknown, place: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
    refuse(place, `a whole number from ${least} to ${most}`, show(value));
  }
  return value;
}

function trueOrFalse(value: unknown, place: string): boolean {
  if (typeof value !== 'boolean') refuse(place, 'true or false', show(value));
  return value;
}

function label(value: unknown, place: string): string {
  if (typeof value !== 'string' || labelText(value) !== value) {
    const expected = `a text of whole, printable characters, at most ${MAX_LABEL_BYTES} bytes long`;
    refuse(place, expected, show(value));
  }
  return value;
}

function matching(value: unknown, place: string, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value))
    refuse(place, `a text like ${pattern.source}`, show(value));
  return value;
}

function oneOf<Known extends string>(value: unknown, place: string, known: readonly Known[]): Known {
  const found = known.find((word) => word === value);
  if (found === undefined) refuse(place, `one of ${known.join(', ')}`, show(value));
  return found;
}

/** What was found, short enough for a log line; never walks into a value, which may be deeper than the stack. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return shorten(JSON.stringify(value));
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function refuse(place: string, expected: string, found: string): never {
  throw new Refusal('invalid_batch', `${place}: expected ${expected}, found ${found}`);
}
