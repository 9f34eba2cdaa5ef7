// Slots and what is known of the windows as plain values (numbers, texts, lists) and back, for a memory on disk. What is read back
// is not trusted: anything but what is written here gives `undefined`.
import type { CellRow } from './cell-tier';
import type { CountRow } from './count-tier';
import type { CoverageRecord } from './coverage';
import type { Kept, KeptRecord } from './kept-history';
import type { Tally } from './tally';
import { WINDOW_LEVELS } from '../config/rule';

/** Counts of one slot, and the bounds that they are counted by. */
export interface CountSlot {
  readonly boundsMs: readonly number[];
  readonly rows: readonly CountRow[];
}

/** What is known of all windows. */
export interface HistoryRecord {
  /** Unix ms. */
  readonly savedMs: number;
  readonly known: CoverageRecord;
  readonly kept: KeptRecord;
}

export function encodeCells(rows: readonly CellRow[]): unknown {
  return rows.map(({ labels, judged, tally }) => [
    labels.service,
    labels.operation,
    labels.errorType,
    (judged.isError ? 1 : 0) + (judged.inLatency ? 2 : 0),
    tally.requests,
    tally.sumMs,
    [...tally.cells],
    [...(tally.addresses ?? [])].flat(),
  ]);
}

export function decodeCells(value: unknown): CellRow[] | undefined {
  return everyOf(value, (row) => {
    if (!Array.isArray(row) || row.length !== 8) return undefined;
    const [service, operation, errorType, flags, requests, sumMs, cells, addresses] = row as unknown[];
    const pairs = countsIn(cells);
    const failures = pairsIn(addresses);
    if (typeof service !== 'string' || typeof operation !== 'string' || typeof errorType !== 'string')
      return undefined;
    if (!isCount(flags) || flags > 3 || !isCount(requests) || !isCount(sumMs)) return undefined;
    if (!pairs || !areCells(pairs) || !failures) return undefined;
    const tally: Tally = {
      requests,
      sumMs,
      cells: pairs,
      addresses: failures.size > 0 ? failures : undefined,
    };
    return {
      labels: { service, operation, errorType },
      judged: { isError: (flags & 1) !== 0, inLatency: (flags & 2) !== 0 },
      tally,
    };
  });
}

export function encodeCounts({ boundsMs, rows }: CountSlot): unknown {
  return [
    [...boundsMs],
    rows.map(({ labels, counts }) => [
      labels.service,
      labels.operation ?? null,
      labels.errorType ?? null,
      ...counts,
    ]),
  ];
}

export function decodeCounts(value: unknown): CountSlot | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [bounds, list] = value as unknown[];
  const boundsMs = countsIn(bounds);
  if (!boundsMs || boundsMs.some((boundMs, index) => index > 0 && boundMs <= (boundsMs[index - 1] ?? 0)))
    return undefined;
  const rows = everyOf(list, (row): CountRow | undefined => {
    if (!Array.isArray(row)) return undefined;
    const [service, operation, errorType, ...numbers] = row as unknown[];
    const counts = countsIn(numbers);
    if (typeof service !== 'string' || !isLabel(operation) || !isLabel(errorType)) return undefined;
    if (counts?.length !== 3 + boundsMs.length) return undefined;
    return {
      labels: { service, operation: operation ?? undefined, errorType: errorType ?? undefined },
      counts,
    };
  });
  return rows && { boundsMs, rows };
}

export function encodeHistory({ savedMs, known, kept }: HistoryRecord): unknown {
  const one = ({ keepMs, sinceMs }: Kept): unknown => [keepMs, sinceMs];
  return [
    savedMs,
    known.firstMs,
    known.gaps.map(({ fromMs, toMs, awaited, isSilence }) => [fromMs, toMs, [...awaited], isSilence]),
    one(kept.cells),
    WINDOW_LEVELS.map((level) => one(kept.levels.fine[level])),
    WINDOW_LEVELS.map((level) => one(kept.levels.minutes[level])),
    kept.bounds.fine.map((pair) => [...pair]),
    kept.bounds.minutes.map((pair) => [...pair]),
  ];
}

export function decodeHistory(value: unknown): HistoryRecord | undefined {
  if (!Array.isArray(value) || value.length !== 8) return undefined;
  const [savedMs, firstMs, gapList, cells, fine, minutes, fineBounds, minuteBounds] = value as unknown[];
  const gaps = everyOf(gapList, gapOf);
  const keptCells = keptOf(cells);
  const fineLevels = levelsOf(fine);
  const minuteLevels = levelsOf(minutes);
  const ofFine = everyOf(fineBounds, pairOf);
  const ofMinutes = everyOf(minuteBounds, pairOf);
  if (!isCount(savedMs) || !isCount(firstMs) || !gaps || !keptCells) return undefined;
  if (!fineLevels || !minuteLevels || !ofFine || !ofMinutes) return undefined;
  return {
    savedMs,
    known: { firstMs, gaps },
    kept: {
      cells: keptCells,
      levels: { fine: fineLevels, minutes: minuteLevels },
      bounds: { fine: ofFine, minutes: ofMinutes },
    },
  };
}

function gapOf(value: unknown): CoverageRecord['gaps'][number] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [fromMs, toMs, producers, isSilence] = value as unknown[];
  const awaited = everyOf(producers, (producer) => (typeof producer === 'string' ? producer : undefined));
  if (!isCount(fromMs) || !isCount(toMs) || fromMs >= toMs || !awaited) return undefined;
  return { fromMs, toMs, awaited, isSilence: isSilence === true };
}

function levelsOf(value: unknown): KeptRecord['levels']['fine'] | undefined {
  const [gateway, service, operation, error_type] = everyOf(value, keptOf) ?? [];
  return gateway && service && operation && error_type
    ? { gateway, service, operation, error_type }
    : undefined;
}

function keptOf(value: unknown): Kept | undefined {
  const [keepMs, sinceMs] = pairOf(value) ?? [];
  return keepMs === undefined || sinceMs === undefined ? undefined : { keepMs, sinceMs };
}

function pairOf(value: unknown): readonly [number, number] | undefined {
  const [first, second] = countsIn(value) ?? [];
  return first === undefined || second === undefined ? undefined : [first, second];
}

function pairsIn(value: unknown): Map<string, number> | undefined {
  if (!Array.isArray(value) || value.length % 2 !== 0) return undefined;
  const pairs = new Map<string, number>();
  for (let index = 0; index < value.length; index += 2) {
    const [text, count] = [value[index], value[index + 1]] as [unknown, unknown];
    if (typeof text !== 'string' || !isCount(count)) return undefined;
    pairs.set(text, count);
  }
  return pairs;
}

function areCells(pairs: readonly number[]): boolean {
  return (
    pairs.length % 2 === 0 &&
    pairs.every((number, index) =>
      index % 2 === 1 ? number > 0 : index === 0 || number > (pairs[index - 2] ?? 0),
    )
  );
}

function countsIn(value: unknown): number[] | undefined {
  return everyOf(value, (number) => (isCount(number) ? number : undefined));
}

function everyOf<Item>(value: unknown, read: (item: unknown) => Item | undefined): Item[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: Item[] = [];
  for (const item of value as unknown[]) {
    const one = read(item);
    if (one === undefined) return undefined;
    items.push(one);
  }
  return items;
}

function isLabel(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
