// The windows to and from disk: a record for each slot of each tier, each request once in each tier, and one for what is known.
// Running sums are not written: they are summed up again. What cannot be read is counted, left out, and deleted with the next write.
import { MEMORY_KEYS, type MemoryChanges, type MemoryPut } from '../memory/memory-changes';
import { FINE_SLOT_MS, slotAt } from './slots';
import { addRows } from './window-tiers';
import { withMoments } from './kept-history';
import type { ScopeWindows } from './scope-windows';
import {
  decodeCells,
  decodeCounts,
  decodeHistory,
  encodeCells,
  encodeCounts,
  encodeHistory,
  type HistoryRecord,
} from './window-record';

export interface RestoredWindows {
  /**
   * Until when they were saved, by this clock, never after now: a gap from then on is for the caller to open. `undefined` where
   * nothing says so; what was before is then not known.
   */
  readonly savedMs: number | undefined;
  /** Entries that could not be read. */
  readonly unreadable: number;
}

const HISTORY_KEY = `${MEMORY_KEYS.window}history`;
const TIERS = ['cells', 'fine', 'minutes'] as const;

type TierName = (typeof TIERS)[number];

interface SlotEntry {
  readonly tier: TierName;
  readonly slot: number;
  readonly entry: MemoryPut;
}

export class WindowMemory {
  readonly #windows: ScopeWindows;
  /** Keys that are on disk for nothing. */
  #useless: string[] = [];

  constructor(windows: ScopeWindows) {
    this.#windows = windows;
  }

  /** What has changed since the last call. The first call after a start, or after a reload, may tell all. */
  takeDirty(): MemoryChanges {
    const { tiers, kept, known, nowMs } = this.#windows;
    const puts: MemoryPut[] = [];
    const deletes = this.#useless;
    for (const tier of TIERS) {
      const { dirty, dropped } = tiers[tier].changes.take();
      for (const slot of dirty) puts.push({ key: keyOf(tier, slot), value: this.#valueOf(tier, slot) });
      deletes.push(...dropped.map((slot) => keyOf(tier, slot)));
    }
    const history = encodeHistory({ savedMs: nowMs, known: known.toRecord(), kept });
    puts.push({ key: HISTORY_KEY, value: history });
    this.#useless = [];
    const written = new Set(puts.map(({ key }) => key));
    return { puts, deletes: deletes.filter((key) => !written.has(key)) };
  }

  /**
   * Puts back what was saved; before anything else is added. Where it was saved at a time that is ahead of the clock, all of it moves
   * back, so that the last saved moment is now.
   */
  restore(entries: Iterable<MemoryPut>, nowMs: number): RestoredWindows {
    this.#windows.advance(nowMs);
    let unreadable = 0;
    let history: HistoryRecord | undefined;
    const slotEntries: SlotEntry[] = [];
    for (const entry of entries) {
      const place = placeOf(entry.key);
      if (place) slotEntries.push({ ...place, entry });
      else if (entry.key === HISTORY_KEY) history = decodeHistory(entry.value);
      if (place ?? (entry.key === HISTORY_KEY && history)) continue;
      unreadable += 1;
      this.#useless.push(entry.key);
    }
    const byMs = history ? Math.min(0, nowMs - history.savedMs) : 0;
    if (history) this.#adopt(history, byMs);
    // Upstream times first: counts by new bounds come from them.
    slotEntries.sort((a, b) => TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier));
    for (const slotEntry of slotEntries) {
      if (this.#put(slotEntry, history?.savedMs, byMs, nowMs)) continue;
      unreadable += 1;
      this.#useless.push(slotEntry.entry.key);
    }
    return { savedMs: history && history.savedMs + byMs, unreadable };
  }

  #adopt({ savedMs, known, kept }: HistoryRecord, byMs: number): void {
    this.#windows.known.restore(known, byMs);
    const shifted = withMoments(kept, (ms) => (ms === 0 ? 0 : Math.max(0, ms + byMs)));
    this.#windows.adoptHistory(shifted, savedMs + byMs);
  }

  /** Whether it could be read. */
  #put(
    { tier: name, slot, entry }: SlotEntry,
    savedMs: number | undefined,
    byMs: number,
    nowMs: number,
  ): boolean {
    const { tiers } = this.#windows;
    const { slotMs } = name === 'cells' ? { slotMs: FINE_SLOT_MS } : tiers[name];
    const current = slotAt(nowMs, slotMs);
    const by = savedMs === undefined || byMs === 0 ? 0 : current - slotAt(savedMs, slotMs);
    const place = Math.min(slot + by, current);
    const isKept = tiers[name].keeps(place, nowMs);
    if (!isKept || place !== slot) this.#useless.push(entry.key);
    if (!isKept) return true;
    if (name === 'cells') {
      const rows = decodeCells(entry.value);
      for (const row of rows ?? []) tiers.cells.add(place, row);
      if (place === slot) tiers.cells.changes.settle(slot);
      return rows !== undefined;
    }
    const counts = decodeCounts(entry.value);
    if (!counts) return false;
    addRows(tiers, name, place, counts.rows, counts.boundsMs);
    if (place === slot && sameNumbers(counts.boundsMs, tiers[name].boundsMs))
      tiers[name].changes.settle(slot);
    return true;
  }

  #valueOf(tier: TierName, slot: number): unknown {
    const { tiers } = this.#windows;
    if (tier === 'cells') return encodeCells(tiers.cells.rowsAt(slot));
    return encodeCounts({ boundsMs: tiers[tier].boundsMs, rows: tiers[tier].rowsAt(slot) });
  }
}

function keyOf(tier: TierName, slot: number): string {
  return `${MEMORY_KEYS.window}${tier}/${slot}`;
}

function placeOf(key: string): { readonly tier: TierName; readonly slot: number } | undefined {
  const [, name, digits] = /^window\/([a-z]+)\/(\d{1,12})$/.exec(key) ?? [];
  const tier = TIERS.find((known) => known === name);
  return tier && digits !== undefined ? { tier, slot: Number(digits) } : undefined;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((number, index) => number === b[index]);
}
