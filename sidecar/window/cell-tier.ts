// Every upstream time, per slot of 5 s, and running histograms of latency over each window that a rule reads. Kept only as long
// as the longest such window, or what is to be said of the worst operations, needs. Each request is kept once, with all labels.
// What is to be said of errors may look back further than any rule asks for times: older slots let these go, which are most of it.
import { emptyHistogram, type Histogram } from '../../kong-plugin/contract/histogram';
import { MovingWindows } from './moving-windows';
import { takeFrom, unpackInto } from './packed-cells';
import { labelsText, type RequestLabels, type ScopeNode, type ScopeRegistry } from './scope-registry';
import { SlotChanges } from './slot-changes';
import { FINE_SLOT_MS, slotAt, touchedSlots, type WindowSpan } from './slots';
import { emptyTally, letTimesGo, mergeTally, type Judged, type Tally } from './tally';
import { cellsKeepOf, timesKeepOf, type WindowLevel, type WindowNeeds } from './window-needs';

/** All labels are known here. */
export interface CellLabels extends RequestLabels {
  readonly operation: string;
  readonly errorType: string;
}

export interface CellRow {
  readonly labels: CellLabels;
  readonly judged: Judged;
  /** Not to be changed. */
  readonly tally: Tally;
}

/** What happened in some slots to requests that are not told apart. */
export interface CellRows {
  readonly labels: CellLabels;
  readonly judged: Judged;
  /** One of each slot that holds some. Not to be changed. */
  readonly tallies: readonly Tally[];
}

/** Which requests are asked for; those of an operation, or of an error type, by its service too. */
export interface CellFilter {
  readonly service?: string;
  readonly operation?: string;
  readonly errorType?: string;
}

interface Kind {
  readonly key: string;
  readonly labels: CellLabels;
  readonly judged: Judged;
  readonly nodes: readonly ScopeNode[];
  /** By slot. */
  readonly tallies: Map<number, Tally>;
}

/** The kinds that hold some, with the tally that they have of this slot. */
type Slot = Map<Kind, Tally>;

export class CellTier {
  readonly changes = new SlotChanges();
  readonly #needs: WindowNeeds;
  readonly #scopes: ScopeRegistry;
  readonly #levels: readonly WindowLevel[];
  readonly #windows: MovingWindows;
  readonly #kinds = new Map<string, Kind>();
  /** Service, operation or error type -> kinds: what is asked of one of them touches no other. */
  readonly #kindsOf = new Map<string, Set<Kind>>();
  readonly #slots = new Map<number, Slot>();
  /** Those that have let their times go. */
  readonly #timeless = new Set<number>();

  constructor(needs: WindowNeeds, scopes: ScopeRegistry, nowMs: number) {
    this.#needs = needs;
    this.#scopes = scopes;
    this.#levels = (Object.keys(needs.levels) as WindowLevel[]).filter(
      (level) => needs.levels[level].latencyMs.length > 0,
    );
    const windowsMs = new Set(this.#levels.flatMap((level) => needs.levels[level].latencyMs));
    const spans = [...windowsMs].map((windowMs): WindowSpan => ({ windowMs, agoMs: 0 }));
    this.#windows = new MovingWindows(FINE_SLOT_MS, spans, cellsKeepOf(needs), nowMs);
  }

  /** Whether anything of that slot is kept at `nowMs`. */
  keeps(slot: number, nowMs: number): boolean {
    return this.#windows.keeps(slot, nowMs);
  }

  /** Does not keep what it is given. */
  add(slot: number, { labels, judged, tally }: CellRow): void {
    const kind = this.#kindOf(labels, judged);
    let at = this.#slots.get(slot);
    if (!at) this.#slots.set(slot, (at = new Map<Kind, Tally>()));
    let whole = at.get(kind);
    if (!whole) {
      kind.tallies.set(slot, (whole = emptyTally()));
      at.set(kind, whole);
    }
    const kept = this.#timeless.has(slot) ? letTimesGo({ ...tally }) : tally;
    mergeTally(whole, kept);
    this.changes.mark(slot);
    this.#addToSums(kind, slot, kept, 1);
  }

  /** As `advance` of the counts does. */
  advance(nowMs: number): void {
    const ahead = this.#takeAhead(slotAt(nowMs, FINE_SLOT_MS));
    this.#windows.moveTo(nowMs, (slot, index, sign) => {
      for (const [kind, tally] of this.#slots.get(slot) ?? []) addToSum(kind, index, tally, sign);
    });
    const current = this.#windows.current;
    for (const row of ahead) this.add(current, row);
    const first = this.#windows.firstKept(nowMs);
    for (const [slot, at] of this.#slots) if (slot < first) this.#forget(slot, at);
    this.#letTimesGo(nowMs);
  }

  /** No window reaches these slots any more, so no sum misses them. */
  #letTimesGo(nowMs: number): void {
    const { first } = touchedSlots(nowMs, { windowMs: timesKeepOf(this.#needs), agoMs: 0 }, FINE_SLOT_MS);
    for (const [slot, at] of this.#slots) {
      if (slot >= first || this.#timeless.has(slot)) continue;
      for (const tally of at.values()) letTimesGo(tally);
      this.#timeless.add(slot);
    }
  }

  /** Upstream times of a scope in a window that ends now. Not to be changed; it goes on changing itself. */
  latencyOf(node: ScopeNode, windowMs: number, nowMs: number): Histogram {
    const span = { windowMs, agoMs: 0 };
    if (node.latency.length === 0) return emptyHistogram();
    return node.latency[this.#windows.indexOf(span)] ?? this.#latencyAnew(node, span, nowMs);
  }

  slots(): Iterable<number> {
    return this.#slots.keys();
  }

  rowsAt(slot: number): CellRow[] {
    return [...(this.#slots.get(slot) ?? [])].map(([{ labels, judged }, tally]) => ({
      labels,
      judged,
      tally,
    }));
  }

  /** What happened in a window that ends now. */
  *rowsIn(windowMs: number, nowMs: number, filter: CellFilter): Generator<CellRows> {
    const { first, last } = touchedSlots(nowMs, { windowMs, agoMs: 0 }, FINE_SLOT_MS);
    for (const { labels, judged, tallies: all } of this.#kindsFor(filter)) {
      const tallies: Tally[] = [];
      all.forEach((tally, slot) => {
        if (slot >= first && slot <= last) tallies.push(tally);
      });
      if (tallies.length > 0) yield { labels, judged, tallies };
    }
  }

  #kindsFor({ service, operation, errorType }: CellFilter): Iterable<Kind> {
    if (service === undefined) return this.#kinds.values();
    return this.#kindsOf.get(labelsText({ service, operation, errorType })) ?? [];
  }

  #kindOf(labels: CellLabels, judged: Judged): Kind {
    const { service, operation, errorType } = labels;
    const key = `${service}\0${operation}\0${errorType}\0${judged.isError ? 1 : 0}${judged.inLatency ? 1 : 0}`;
    let kind = this.#kinds.get(key);
    if (!kind) {
      const own = { service, operation, errorType };
      const nodes = this.#scopes.hold(own, this.#levels);
      for (const node of nodes) this.#prepare(node);
      kind = { key, labels: own, judged, nodes, tallies: new Map() };
      this.#kinds.set(key, kind);
      for (const place of placesOf(own)) {
        const siblings = this.#kindsOf.get(place);
        if (siblings) siblings.add(kind);
        else this.#kindsOf.set(place, new Set([kind]));
      }
    }
    return kind;
  }

  #prepare(node: ScopeNode): void {
    if (node.latency.length > 0) return;
    const read = this.#needs.levels[node.level].latencyMs;
    node.latency = this.#windows.spans.map(({ windowMs }) =>
      read.includes(windowMs) ? emptyHistogram() : undefined,
    );
  }

  #addToSums(kind: Kind, slot: number, tally: Tally, sign: 1 | -1): void {
    for (let index = 0; index < this.#windows.spans.length; index += 1) {
      if (this.#windows.covers(index, slot)) addToSum(kind, index, tally, sign);
    }
  }

  /** Its kinds stay: they are in the current slot next. */
  #takeAhead(current: number): CellRow[] {
    const taken: CellRow[] = [];
    for (const [slot, at] of this.#slots) {
      if (slot <= current) continue;
      for (const [kind, tally] of at) {
        this.#addToSums(kind, slot, tally, -1);
        kind.tallies.delete(slot);
        taken.push({ labels: kind.labels, judged: kind.judged, tally });
      }
      this.#slots.delete(slot);
      this.#timeless.delete(slot);
      this.changes.drop(slot);
    }
    return taken;
  }

  #forget(slot: number, at: Slot): void {
    for (const kind of at.keys()) {
      kind.tallies.delete(slot);
      if (kind.tallies.size === 0) this.#forgetKind(kind);
    }
    this.#slots.delete(slot);
    this.#timeless.delete(slot);
    this.changes.drop(slot);
  }

  #forgetKind(kind: Kind): void {
    this.#kinds.delete(kind.key);
    this.#scopes.release(kind.nodes);
    for (const place of placesOf(kind.labels)) {
      const siblings = this.#kindsOf.get(place);
      siblings?.delete(kind);
      if (siblings?.size === 0) this.#kindsOf.delete(place);
    }
  }

  /** For a window that no rule reads. */
  #latencyAnew(node: ScopeNode, span: WindowSpan, nowMs: number): Histogram {
    const sum = emptyHistogram();
    const { first, last } = touchedSlots(nowMs, span, FINE_SLOT_MS);
    for (const [slot, at] of this.#slots) {
      if (slot < first || slot > last) continue;
      for (const [kind, tally] of at)
        if (kind.judged.inLatency && kind.nodes.includes(node)) addLatency(sum, tally, 1);
    }
    return sum;
  }
}

function placesOf({ service, operation, errorType }: CellLabels): string[] {
  const places = [
    labelsText({ service, operation: undefined, errorType: undefined }),
    labelsText({ service, operation, errorType: undefined }),
  ];
  return errorType === '' ? places : [...places, labelsText({ service, operation: undefined, errorType })];
}

function addToSum({ nodes, judged }: Kind, index: number, tally: Tally, sign: 1 | -1): void {
  if (!judged.inLatency) return;
  for (const node of nodes) {
    const sum = node.latency[index];
    if (sum) addLatency(sum, tally, sign);
  }
}

function addLatency(sum: Histogram, { cells, sumMs }: Tally, sign: 1 | -1): void {
  sum.sumMs += sign * sumMs;
  sum.count += sign * (sign === 1 ? unpackInto(sum.cells, cells) : takeFrom(sum.cells, cells));
}
