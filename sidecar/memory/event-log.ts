// What happened to alerts and silences: the newest 10,000 events of the last 90 days. In: events, what was on disk. Out: pages of
// them, the newest first, and what is to be kept on disk. At the limit the oldest go.
import { alertEventShape, type AlertEvent, type AlertEventKind, type NewAlertEvent } from './alert-event';
import { DirtyMap } from './dirty-map';
import { MEMORY_KEYS, type MemoryChanges } from './memory-changes';

const MOST_EVENTS = 10_000;
const LONGEST_AGE_MS = 90 * 24 * 60 * 60 * 1000;

/** So many digits has 2^53, so that keys sort by their numbers. */
const SEQUENCE_DIGITS = 16;

export interface EventFilter {
  readonly alertId?: string | undefined;
  readonly rule?: string | undefined;
  readonly kind?: AlertEventKind | undefined;
  /** Unix ms, inclusive. */
  readonly sinceMs?: number | undefined;
  /** Unix ms, exclusive. */
  readonly untilMs?: number | undefined;
  /** At most so many. */
  readonly limit: number;
  /** Only events with smaller numbers than this: the `next` of the page before. */
  readonly before?: number | undefined;
}

export interface EventPage {
  /** The newest first. */
  readonly events: readonly AlertEvent[];
  /** The `before` of the next page; `undefined` where there is none. */
  readonly next: number | undefined;
}

export class EventLog {
  readonly #events = new DirtyMap<AlertEvent>(MEMORY_KEYS.event);
  readonly #bounds: { readonly mostEvents: number; readonly longestAgeMs: number };
  #nextSequence: number;

  /**
   * @param nowMs Unix ms: numbers begin there, unless the memory has higher ones. So an event whose number somebody saw and
   *   that was lost with the memory leaves its number to no other: nothing adds an event each ms for as long as it runs
   */
  constructor(nowMs: number, bounds = { mostEvents: MOST_EVENTS, longestAgeMs: LONGEST_AGE_MS }) {
    this.#nextSequence = Math.max(1, nowMs);
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#events.size;
  }

  /**
   * Numbers the events and lets go what is too old or too much. To be called now and then without any, too.
   *
   * @param nowMs Unix ms
   * @returns the events with their numbers
   */
  append(events: readonly NewAlertEvent[], nowMs: number): readonly AlertEvent[] {
    const numbered = events.map((event): AlertEvent => ({ ...event, sequence: this.#nextSequence++ }));
    for (const event of numbered) this.#events.set(keyOf(event.sequence), event);
    this.#forgetOld(nowMs);
    return numbered;
  }

  list({ alertId, rule, kind, sinceMs, untilMs, limit, before = Infinity }: EventFilter): EventPage {
    const events: AlertEvent[] = [];
    for (const event of [...this.#events.values()].reverse()) {
      if (event.sequence >= before) continue;
      if (kind !== undefined && event.kind !== kind) continue;
      if (alertId !== undefined && !('alertId' in event && event.alertId === alertId)) continue;
      if (rule !== undefined && !('rule' in event && event.rule === rule)) continue;
      if (sinceMs !== undefined && event.atMs < sinceMs) continue;
      if (untilMs !== undefined && event.atMs >= untilMs) continue;
      if (events.length === limit) return { events, next: events.at(-1)?.sequence ?? before };
      events.push(event);
    }
    return { events, next: undefined };
  }

  /** What changed since the last call. */
  takeDirty(): MemoryChanges {
    return this.#events.takeDirty();
  }

  /**
   * Takes over the events of a memory, of which other keys are passed over. To be called once, before any event is added.
   *
   * @returns how many of them are not of this release's form: they are forgotten
   */
  restore(entries: ReadonlyMap<string, unknown>): number {
    let unreadable = 0;
    const keys = [...entries.keys()].filter((key) => key.startsWith(MEMORY_KEYS.event)).sort();
    for (const key of keys) {
      const own = key.slice(MEMORY_KEYS.event.length);
      const sequence = Number(own);
      if (Number.isSafeInteger(sequence)) this.#nextSequence = Math.max(this.#nextSequence, sequence + 1);
      const read = alertEventShape.safeParse(entries.get(key));
      if (read.success && keyOf(read.data.sequence) === own) this.#events.restore(own, read.data);
      else {
        this.#events.forget(own);
        unreadable += 1;
      }
    }
    return unreadable;
  }

  #forgetOld(nowMs: number): void {
    for (const key of this.#events.keys()) {
      const event = this.#events.get(key);
      const isTooMuch = this.#events.size > this.#bounds.mostEvents;
      const isTooOld = event !== undefined && nowMs - event.atMs > this.#bounds.longestAgeMs;
      if (!isTooMuch && !isTooOld) return;
      this.#events.delete(key);
    }
  }
}

function keyOf(sequence: number): string {
  return String(sequence).padStart(SEQUENCE_DIGITS, '0');
}
