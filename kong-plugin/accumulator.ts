// Observations to deltas, by the second in which they came. While nothing can be sent, seconds become minutes and minutes
// become hours, so that memory grows with the number of series and not with the length of an outage.
//
// Memory has a bound as well, whatever the names and times of the requests are; every request is counted all the same. Weight
// stands for it: one unit is about 50 bytes of memory, or 12 of a sealed batch. At the bounds, time is given up first (days in
// the end, at once), then names: new series are folded by `admit`, and if that is not enough, those that wait are too.
import { PRODUCER_STATISTICS, type Interval, type ProducerStatistics } from './contract/batch';
import { emptyDelta, mergeDelta, seriesKey, type Delta, type Series } from './contract/delta';
import { addAddress } from './contract/failed-address';
import { record } from './contract/histogram';
import { SENTRY_STATISTICS } from './contract/sentry-statistics';
import { OTHER } from './contract/label-text';
import { admit } from './contract/series-cap';
import type { Observation } from './observation';
import type { SentryCategory, SentryOutcome } from './sentry/sentry-outcome';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Deltas that wait, the same series in two intervals being two. As many new ones in a second are no gateway's own names. */
const DELTA_CAP = 30_000;
/** What a delta weighs without its cells: its labels, twice, and three maps. */
const DELTA_WEIGHT = 24;
/** Of one failed address and its count. */
const ADDRESS_WEIGHT = 3;
/** 25 MB: time gets coarser at once, and not by age. */
const HEAVY_WEIGHT = 500_000;
/** 100 MB: what waits is folded. Reached only by far more cells than a few hundred series have in a day. */
const FULL_WEIGHT = 2_000_000;
/** What is taken at a time: a batch or two, so that sealing never holds up the log phase for long. */
const TAKEN_WEIGHT = 60_000;

/** What waits is folded in this order. */
const FOLDS: readonly Partial<Series>[] = [{ operation: OTHER }, { operation: OTHER, service: OTHER }];

interface Slot {
  readonly startMs: number;
  readonly durationMs: number;
  readonly deltas: Map<string, Delta>;
}

/** What is to be sent: the intervals in order, and the statistics since the last time. */
export interface Taken {
  readonly intervals: Interval[];
  readonly statistics: ProducerStatistics;
}

export class Accumulator {
  /** By duration and start. */
  readonly #slots = new Map<string, Slot>();
  #statistics = noStatistics();

  /**
   * Adds one request; one that was folded before is counted so again.
   *
   * @param nowMs Unix ms at which it came
   * @returns the series under which it is counted
   */
  add(observation: Observation, nowMs: number): Series {
    this.#statistics.events += 1;
    if (observation.malformed) this.#statistics.malformedLogs += 1;
    if (observation.clockFault) this.#statistics.clockFaults += 1;
    const delta = this.#deltaOf(this.#slotAt(nowMs, SECOND_MS), observation);
    delta.requests += 1;
    if (observation.upstreamMs !== undefined) record(delta.upstream, observation.upstreamMs);
    for (const code of observation.failedTryCodes) {
      delta.failedTries.set(code, (delta.failedTries.get(code) ?? 0) + 1);
    }
    for (const address of observation.failedAddresses) addAddress(delta.failedAddresses, address, 1);
    if (delta.series.operation === OTHER) this.#statistics.foldedRequests += 1;
    return delta.series;
  }

  /** What was held elsewhere, from now on here. */
  static holding({ intervals, statistics }: Taken): Accumulator {
    const accumulator = new Accumulator();
    accumulator.#statistics = { ...statistics };
    for (const { startMs, durationMs, deltas } of intervals) {
      const slot = accumulator.#slotAt(startMs, durationMs);
      for (const delta of deltas) put(slot, delta);
    }
    return accumulator;
  }

  /** Everything, as it is at the moment; it stays here. */
  held(): Taken {
    return {
      intervals: [...this.#slots.values()].map(({ startMs, durationMs, deltas }) => ({
        startMs,
        durationMs,
        deltas: [...deltas.values()],
      })),
      statistics: { ...this.#statistics },
    };
  }

  /** An event that is in memory only. */
  countUnspooled(): void {
    this.#statistics.unspooledEvents += 1;
  }

  countDeath(): void {
    this.#statistics.deaths += 1;
  }

  countDamagedSpool(): void {
    this.#statistics.damagedSpools += 1;
  }

  countWorkerRestarts(restarts: number): void {
    this.#statistics.workerRestarts += restarts;
  }

  countSentry(category: SentryCategory, outcome: SentryOutcome, count: number): void {
    this.#statistics[SENTRY_STATISTICS[category][outcome]] += count;
  }

  countFailedSend(): void {
    this.#statistics.failedSends += 1;
  }

  /** Requests of a batch that the sidecar will never take. */
  countRefused(requests: number): void {
    this.#statistics.refusedRequests += requests;
  }

  /** Whether there is something to tell of the producer itself. */
  get hasStatistics(): boolean {
    return Object.values(this.#statistics).some((count) => count > 0);
  }

  /** Requests that wait to be taken. */
  get pendingRequests(): number {
    let requests = 0;
    for (const { deltas } of this.#slots.values())
      for (const delta of deltas.values()) requests += delta.requests;
    return requests;
  }

  /** How many intervals wait to be taken. */
  get pendingIntervals(): number {
    return this.#slots.size;
  }

  /** Whether `take` would give an interval that has ended. */
  hasIntervals(nowMs: number): boolean {
    return [...this.#slots.values()].some((slot) => !isOpen(slot, nowMs));
  }

  /**
   * Hands over what has ended, or with `unended` everything, the oldest first and only up to a bound: `hasIntervals`
   * and `pendingIntervals` tell whether there is more. An interval in the future, left by a clock that was set back, counts as ended.
   */
  take(nowMs: number, unended = false): Taken {
    const intervals: Interval[] = [];
    let room = TAKEN_WEIGHT;
    for (const [key, slot] of [...this.#slots].sort(([, a], [, b]) => a.startMs - b.startMs)) {
      if (room <= 0) break;
      if (!unended && isOpen(slot, nowMs)) continue;
      const deltas: Delta[] = [];
      for (const [series, delta] of slot.deltas) {
        if (room <= 0) break;
        room -= weightOf(delta);
        deltas.push(delta);
        slot.deltas.delete(series);
      }
      intervals.push({ startMs: slot.startMs, durationMs: slot.durationMs, deltas });
      if (slot.deltas.size === 0) this.#slots.delete(key);
    }
    const statistics = this.#statistics;
    this.#statistics = noStatistics();
    return { intervals, statistics };
  }

  /**
   * Merges seconds that ended over a minute ago into minutes, and minutes that ended over an hour ago into hours; and does
   * more where what waits is too heavy. Call it about once a second.
   */
  coarsen(nowMs: number): void {
    this.#merge(SECOND_MS, MINUTE_MS, nowMs - MINUTE_MS);
    this.#merge(MINUTE_MS, HOUR_MS, nowMs - HOUR_MS);
    if (this.#weight() <= HEAVY_WEIGHT) return;
    this.#merge(SECOND_MS, MINUTE_MS, nowMs);
    if (this.#weight() > HEAVY_WEIGHT) this.#merge(MINUTE_MS, HOUR_MS, Infinity);
    if (this.#weight() > HEAVY_WEIGHT) this.#merge(HOUR_MS, DAY_MS, Infinity);
    for (const names of FOLDS) if (this.#weight() > FULL_WEIGHT) this.#fold(names);
  }

  #weight(): number {
    let weight = 0;
    for (const { deltas } of this.#slots.values())
      for (const delta of deltas.values()) weight += weightOf(delta);
    return weight;
  }

  /** @param endedMs merges what had ended by then */
  #merge(fineMs: number, coarseMs: number, endedMs: number): void {
    for (const [key, slot] of this.#slots) {
      if (slot.durationMs !== fineMs || slot.startMs + fineMs > endedMs) continue;
      const target = this.#slotAt(slot.startMs, coarseMs);
      for (const delta of slot.deltas.values()) put(target, delta);
      this.#slots.delete(key);
    }
  }

  #fold(names: Partial<Series>): void {
    for (const slot of this.#slots.values()) {
      const deltas = [...slot.deltas.values()];
      slot.deltas.clear();
      for (const delta of deltas) {
        if (delta.series.operation !== OTHER) this.#statistics.foldedRequests += delta.requests;
        put(slot, { ...delta, series: { ...delta.series, ...names } });
      }
    }
  }

  #deltaOf({ deltas }: Slot, observation: Observation): Delta {
    const { service, operation, status, source, errorType, severity } = observation;
    const series = { service, operation, status, source, errorType, severity };
    const key = seriesKey(series);
    const known = deltas.get(key);
    if (known) return known;
    const count = this.#deltaCount();
    // What waits in another interval keeps its name: a flood of new names must not take those of the others.
    const exists = (one: Series): boolean =>
      deltas.has(seriesKey(one)) || (count < 2 * DELTA_CAP && this.#waits(seriesKey(one)));
    const admitted = admit(series, exists, count, DELTA_CAP);
    const admittedKey = seriesKey(admitted);
    const delta = deltas.get(admittedKey) ?? emptyDelta(admitted);
    deltas.set(admittedKey, delta);
    return delta;
  }

  #waits(key: string): boolean {
    for (const { deltas } of this.#slots.values()) if (deltas.has(key)) return true;
    return false;
  }

  #deltaCount(): number {
    let count = 0;
    for (const { deltas } of this.#slots.values()) count += deltas.size;
    return count;
  }

  #slotAt(atMs: number, durationMs: number): Slot {
    const startMs = Math.floor(atMs / durationMs) * durationMs;
    const key = `${durationMs}/${startMs}`;
    let slot = this.#slots.get(key);
    if (!slot) this.#slots.set(key, (slot = { startMs, durationMs, deltas: new Map() }));
    return slot;
  }
}

/** The second in which observations come at the moment. */
function isOpen({ startMs, durationMs }: Slot, nowMs: number): boolean {
  return durationMs === SECOND_MS && startMs <= nowMs && nowMs < startMs + durationMs;
}

function put({ deltas }: Slot, delta: Delta): void {
  const key = seriesKey(delta.series);
  const known = deltas.get(key);
  if (known) mergeDelta(known, delta);
  else deltas.set(key, delta);
}

function weightOf({ upstream, failedTries, failedAddresses }: Delta): number {
  return DELTA_WEIGHT + upstream.cells.size + failedTries.size + ADDRESS_WEIGHT * failedAddresses.size;
}

/** All 0, in the order in which they are sealed. */
export function noStatistics(): ProducerStatistics {
  return Object.fromEntries(PRODUCER_STATISTICS.map((name) => [name, 0])) as unknown as ProducerStatistics;
}
