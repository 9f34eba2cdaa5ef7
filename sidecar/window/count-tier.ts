// Counts per scope and slot, and their running sums over each window that a rule reads. Each request is kept once, as finely as
// the levels that have windows need it told apart; the sums are kept per scope.
import { addCounts, emptyCounts, type Counts } from './counts';
import { MovingWindows } from './moving-windows';
import { labelsText, type RequestLabels, type ScopeNode, type ScopeRegistry } from './scope-registry';
import { SlotChanges } from './slot-changes';
import { SlotColumns } from './slot-columns';
import { slotAt, touchedSlots, type WindowSpan } from './slots';
import { keepOf, type CountTierName, type WindowLevel } from './window-needs';

export interface CountTierSettings {
  /** Where a scope has its sums. */
  readonly name: CountTierName;
  readonly slotMs: number;
  /** By which the upstream times are counted, ms, ascending. */
  readonly boundsMs: readonly number[];
  readonly spansOf: Readonly<Record<WindowLevel, readonly WindowSpan[]>>;
}

/** What a slot holds of requests with the same labels. */
export interface CountRow {
  readonly labels: RequestLabels;
  readonly counts: Counts;
}

/** Requests that are not told apart. */
interface Kind {
  readonly labels: RequestLabels;
  readonly nodes: readonly ScopeNode[];
  readonly columns: SlotColumns;
  /** The youngest slot that holds some. */
  lastSlot: number;
}

export class CountTier {
  readonly changes = new SlotChanges();
  readonly #settings: CountTierSettings;
  readonly #scopes: ScopeRegistry;
  readonly #levels: readonly WindowLevel[];
  readonly #windows: MovingWindows;
  readonly #kinds = new Map<string, Kind>();
  /** The slots that hold something. */
  readonly #present = new Set<number>();

  constructor(settings: CountTierSettings, scopes: ScopeRegistry, nowMs: number) {
    this.#settings = settings;
    this.#scopes = scopes;
    this.#levels = (Object.keys(settings.spansOf) as WindowLevel[]).filter(
      (level) => settings.spansOf[level].length > 0,
    );
    const all = this.#levels.flatMap((level) => settings.spansOf[level]);
    const spans = [...new Map(all.map((span) => [`${span.windowMs} ${span.agoMs}`, span])).values()];
    this.#windows = new MovingWindows(settings.slotMs, spans, keepOf(spans), nowMs);
  }

  get boundsMs(): readonly number[] {
    return this.#settings.boundsMs;
  }

  get slotMs(): number {
    return this.#settings.slotMs;
  }

  /** Whether anything of that slot is kept at `nowMs`. */
  keeps(slot: number, nowMs: number): boolean {
    return this.#windows.keeps(slot, nowMs);
  }

  /** @param counts by the bounds of this tier */
  add(slot: number, labels: RequestLabels, counts: Counts): void {
    const kind = this.#kindOf(labels);
    kind.columns.add(slot, counts);
    kind.lastSlot = Math.max(kind.lastSlot, slot);
    this.#present.add(slot);
    this.changes.mark(slot);
    this.#addToSums(kind, slot, counts, 1);
  }

  /**
   * Moves on to another time, drops what no window reaches any more, and takes what lies ahead of a clock that was set back
   * into the current slot.
   */
  advance(nowMs: number): void {
    const ahead = this.#takeAhead(slotAt(nowMs, this.slotMs));
    this.#windows.moveTo(nowMs, (slot, index, sign) => {
      if (!this.#present.has(slot)) return;
      for (const { nodes, columns, lastSlot } of this.#kinds.values()) {
        if (slot > lastSlot) continue;
        for (const node of nodes) {
          const sum = node[this.#settings.name][index];
          if (sum) columns.addTo(sum, slot, sign);
        }
      }
    });
    for (const { labels, counts } of ahead) this.add(this.#windows.current, labels, counts);
    this.#dropBefore(this.#windows.firstKept(nowMs));
  }

  /** What happened to a scope in a window. Not to be changed; it goes on changing itself. */
  sumOf(node: ScopeNode, span: WindowSpan, nowMs: number): Counts {
    const sums = node[this.#settings.name];
    if (sums.length === 0) return emptyCounts(this.boundsMs);
    return sums[this.#windows.indexOf(span)] ?? this.#sumAnew(node, span, nowMs);
  }

  slots(): Iterable<number> {
    return this.#present;
  }

  rowsAt(slot: number): CountRow[] {
    return [...this.#kinds.values()].flatMap((kind) => this.#rowOf(kind, slot) ?? []);
  }

  #rowOf({ labels, columns, lastSlot }: Kind, slot: number): CountRow | undefined {
    if (slot > lastSlot) return undefined;
    const counts = emptyCounts(this.boundsMs);
    columns.addTo(counts, slot, 1);
    return counts.some((count) => count > 0) ? { labels, counts } : undefined;
  }

  #kindOf({ service, operation, errorType }: RequestLabels): Kind {
    const labels = {
      service,
      operation: this.#levels.includes('operation') ? operation : undefined,
      errorType: this.#levels.includes('error_type') ? errorType : undefined,
    };
    const key = labelsText(labels);
    let kind = this.#kinds.get(key);
    if (!kind) {
      const nodes = this.#scopes.hold(labels, this.#levels);
      for (const node of nodes) this.#prepare(node);
      kind = { labels, nodes, columns: new SlotColumns(), lastSlot: -Infinity };
      this.#kinds.set(key, kind);
    }
    return kind;
  }

  #prepare(node: ScopeNode): void {
    const { name, spansOf, boundsMs } = this.#settings;
    if (node[name].length > 0) return;
    const read = spansOf[node.level];
    node[name] = this.#windows.spans.map(({ windowMs, agoMs }) =>
      read.some((span) => span.windowMs === windowMs && span.agoMs === agoMs)
        ? emptyCounts(boundsMs)
        : undefined,
    );
  }

  #addToSums({ nodes }: Kind, slot: number, counts: Counts, sign: 1 | -1): void {
    for (let index = 0; index < this.#windows.spans.length; index += 1) {
      if (!this.#windows.covers(index, slot)) continue;
      for (const node of nodes) {
        const sum = node[this.#settings.name][index];
        if (sum) addCounts(sum, counts, sign);
      }
    }
  }

  #takeAhead(current: number): CountRow[] {
    const taken: CountRow[] = [];
    for (const slot of this.#present) {
      if (slot <= current) continue;
      for (const kind of this.#kinds.values()) {
        const row = this.#rowOf(kind, slot);
        if (!row) continue;
        taken.push(row);
        this.#addToSums(kind, slot, row.counts, -1);
        kind.columns.clear(slot);
      }
      this.#forget(slot);
    }
    // What was ahead is added to the current slot again.
    if (taken.length > 0)
      for (const kind of this.#kinds.values()) kind.lastSlot = Math.min(kind.lastSlot, current);
    return taken;
  }

  #dropBefore(first: number): void {
    let dropped = false;
    for (const slot of this.#present) {
      if (slot >= first) continue;
      this.#forget(slot);
      dropped = true;
    }
    if (!dropped) return;
    for (const [key, kind] of this.#kinds) {
      kind.columns.clearBefore(first);
      if (kind.lastSlot >= first) continue;
      this.#kinds.delete(key);
      this.#scopes.release(kind.nodes);
    }
  }

  #forget(slot: number): void {
    this.#present.delete(slot);
    this.changes.drop(slot);
  }

  /** For a window that no rule reads. */
  #sumAnew(node: ScopeNode, span: WindowSpan, nowMs: number): Counts {
    const sum = emptyCounts(this.boundsMs);
    const { first, last } = touchedSlots(nowMs, span, this.slotMs);
    for (const { nodes, columns } of this.#kinds.values()) {
      if (!nodes.includes(node)) continue;
      for (const slot of this.#present) if (slot >= first && slot <= last) columns.addTo(sum, slot, 1);
    }
    return sum;
  }
}
