// Observations to deltas, by the second in which they came. While nothing can be sent, seconds become minutes and minutes
// become hours, so that memory grows with the number of series and not with the length of an outage.
import type { Interval, ProducerStatistics } from './contract/batch';
import { mergeDelta, seriesKey, type Delta } from './contract/delta';
import { emptyHistogram, record } from './contract/histogram';
import type { Observation } from './observation';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

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

  /** Adds one request. @param nowMs Unix ms at which it came */
  add(observation: Observation, nowMs: number): void {
    this.#statistics.events += 1;
    if (observation.malformed) this.#statistics.malformedLogs += 1;
    if (observation.clockFault) this.#statistics.clockFaults += 1;
    const delta = deltaOf(this.#slotAt(nowMs, SECOND_MS), observation);
    delta.requests += 1;
    if (observation.upstreamMs !== undefined) record(delta.upstream, observation.upstreamMs);
    for (const code of observation.failedTryCodes) {
      delta.failedTries.set(code, (delta.failedTries.get(code) ?? 0) + 1);
    }
  }

  countFailedSend(): void {
    this.#statistics.failedSends += 1;
  }

  /** Requests of a batch that the sidecar will never take. */
  countRefused(requests: number): void {
    this.#statistics.refusedRequests += requests;
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

  /** Whether `take` would give an interval. */
  hasIntervals(nowMs: number, unended = false): boolean {
    return [...this.#slots.values()].some((slot) => unended || !isCurrent(slot, nowMs));
  }

  /**
   * Hands over every interval that has ended, or with `unended` all of them. An interval in the future, left by a clock that
   * was set back, counts as ended.
   */
  take(nowMs: number, unended = false): Taken {
    const intervals: Interval[] = [];
    for (const [key, slot] of this.#slots) {
      if (!unended && isCurrent(slot, nowMs)) continue;
      const { startMs, durationMs, deltas } = slot;
      intervals.push({ startMs, durationMs, deltas: [...deltas.values()] });
      this.#slots.delete(key);
    }
    const statistics = this.#statistics;
    this.#statistics = noStatistics();
    return { intervals: intervals.sort((a, b) => a.startMs - b.startMs), statistics };
  }

  /** Merges seconds that ended over a minute ago into minutes, and minutes that ended over an hour ago into hours. */
  coarsen(nowMs: number): void {
    this.#merge(nowMs, SECOND_MS, MINUTE_MS);
    this.#merge(nowMs, MINUTE_MS, HOUR_MS);
  }

  #merge(nowMs: number, fineMs: number, coarseMs: number): void {
    for (const [key, slot] of this.#slots) {
      if (slot.durationMs !== fineMs || slot.startMs + fineMs + coarseMs > nowMs) continue;
      const target = this.#slotAt(slot.startMs, coarseMs);
      for (const [series, delta] of slot.deltas) {
        const merged = target.deltas.get(series);
        if (merged) mergeDelta(merged, delta);
        else target.deltas.set(series, delta);
      }
      this.#slots.delete(key);
    }
  }

  #slotAt(atMs: number, durationMs: number): Slot {
    const startMs = Math.floor(atMs / durationMs) * durationMs;
    const key = `${durationMs}/${startMs}`;
    let slot = this.#slots.get(key);
    if (!slot) this.#slots.set(key, (slot = { startMs, durationMs, deltas: new Map() }));
    return slot;
  }
}

function isCurrent({ startMs, durationMs }: Slot, nowMs: number): boolean {
  return startMs <= nowMs && nowMs < startMs + durationMs;
}

function deltaOf({ deltas }: Slot, observation: Observation): Delta {
  const { service, operation, status, source, errorType, severity } = observation;
  const series = { service, operation, status, source, errorType, severity };
  const key = seriesKey(series);
  let delta = deltas.get(key);
  if (!delta) {
    deltas.set(key, (delta = { series, requests: 0, upstream: emptyHistogram(), failedTries: new Map() }));
  }
  return delta;
}

export function noStatistics(): ProducerStatistics {
  return { events: 0, malformedLogs: 0, clockFaults: 0, failedSends: 0, refusedRequests: 0 };
}
