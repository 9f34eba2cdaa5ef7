// Which part of the past is known. Known is what happened since the very first start, but for two kinds of gaps.
// While the sidecar was away, or stood still, nothing came in: such a gap is lost for every rule. While one producer is silent, or its
// batches cannot be made durable, others may tell enough to judge how requests fare, but not whether any are missing: a silence
// counts for rules about traffic alone, and grows while it lasts.
// A gap is filled once every producer that was alive when it began has delivered all that it had of it. Where no producer is known,
// nobody can say so, and the gap stays until no window reaches it.
import type { Batch } from '../../kong-plugin/contract/batch';
import { SILENT_AFTER_MS } from '../../kong-plugin/contract/heartbeat';
import type { Coverage } from './scope-view';

/**
 * A producer that is not heard of for so long is gone for good, as on a host that was removed, and nothing more is awaited of it.
 * Long enough for a host to start again; short enough that a gateway that died is missed by rules about traffic.
 */
export const GONE_AFTER_MS = 15 * 60_000;

/** [fromMs, toMs), Unix ms. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Gap extends Span {
  /** The producers that have not delivered yet. */
  readonly awaited: ReadonlySet<string>;
}

/** As it is written down. */
export interface CoverageRecord {
  readonly firstMs: number;
  readonly gaps: readonly {
    readonly fromMs: number;
    readonly toMs: number;
    readonly awaited: readonly string[];
    /** Of the one producer. */
    readonly isSilence: boolean;
  }[];
}

/** What a batch says of what its producer has delivered. */
export interface Delivery {
  readonly producer: string;
  /**
   * It has delivered all that it had from before that, Unix ms by the sidecar's clock; `undefined` where the batch does not say.
   * With its goodbye it has delivered everything.
   */
  readonly beforeMs: number | undefined;
  /** It had nothing left of what had ended when the batch was sealed. */
  readonly isHeartbeat: boolean;
}

/**
 * A producer delivers in the order of time: it takes the oldest of what has ended, and numbers and sends it in that order. So once an
 * interval comes, all before it has come. Who delivers for a dead producer has another clock: there only the goodbye counts.
 *
 * @param sentAtMs the producer's clock when it sent the batch, @param receivedMs the sidecar's when it came; Unix ms
 */
export function deliveryOf(
  { producer, intervals, process, isGoodbye }: Batch,
  sentAtMs: number,
  receivedMs: number,
): Delivery {
  const isHeartbeat = process !== null && !isGoodbye && intervals.length === 0;
  if (isGoodbye) return { producer, beforeMs: Infinity, isHeartbeat };
  if (!process || isHeartbeat) return { producer, beforeMs: undefined, isHeartbeat };
  const beginMs = intervals.reduce((latestMs, { startMs }) => Math.max(latestMs, startMs), -Infinity);
  return { producer, beforeMs: receivedMs - (sentAtMs - beginMs), isHeartbeat };
}

/** When something was heard of a producer, Unix ms. */
interface Heard {
  /** Its last batch that counts; where none has come, since when it has been listened for. */
  readonly sinceMs: number;
  readonly hasDelivered: boolean;
  /** It came last, be it in vain. */
  readonly lastMs: number;
  /** Its last batch could not be made durable. */
  readonly isRefused: boolean;
}

export class KnownTime {
  #firstMs: number;
  #gaps: readonly Gap[] = [];
  readonly #silences = new Map<string, Span>();
  /** Producers that have not said goodbye. */
  readonly #heard = new Map<string, Heard>();

  /** @param firstMs the very first start, Unix ms */
  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  /**
   * Nothing came in [fromMs, toMs).
   * @param producers those that were alive when it began
   */
  openGap(fromMs: number, toMs: number, producers: Iterable<string>): void {
    if (toMs > fromMs) this.#gaps = [...this.#gaps, { fromMs, toMs, awaited: new Set(producers) }];
  }

  /** A batch was counted, and what is in it has been added to the windows. */
  received({ producer, beforeMs, isHeartbeat }: Delivery, nowMs: number): void {
    const heard = this.#heard.get(producer);
    if (beforeMs === Infinity) this.#heard.delete(producer);
    else this.#heard.set(producer, { sinceMs: nowMs, hasDelivered: true, lastMs: nowMs, isRefused: false });
    // The same bytes are sent until they are taken, so it may have been sealed long ago; but not before the one before it had come.
    const sealedAfterMs = isHeartbeat && heard?.hasDelivered ? heard.sinceMs : undefined;
    const allBeforeMs = beforeMs ?? sealedAfterMs;
    if (allBeforeMs !== undefined) this.#fill(producer, allBeforeMs);
  }

  /** A batch came that could not be made durable; its producer keeps it. */
  refused(producer: string, nowMs: number): void {
    const { sinceMs, hasDelivered } = this.#heard.get(producer) ?? { sinceMs: nowMs, hasDelivered: false };
    this.#heard.set(producer, { sinceMs, hasDelivered, lastMs: nowMs, isRefused: true });
  }

  /** A producer has delivered all that it had; it is not missed where nothing more comes of it. */
  delivered(producer: string): void {
    this.#heard.delete(producer);
    this.#fill(producer, Infinity);
  }

  #fill(producer: string, beforeMs: number): void {
    const silence = this.#silences.get(producer);
    if (silence && silence.toMs <= beforeMs) this.#silences.delete(producer);
    if (this.#gaps.every(({ toMs, awaited }) => toMs > beforeMs || !awaited.has(producer))) return;
    this.#gaps = this.#gaps.flatMap((gap) => {
      if (gap.toMs > beforeMs || !gap.awaited.has(producer)) return gap;
      const awaited = new Set(gap.awaited);
      awaited.delete(producer);
      return awaited.size === 0 ? [] : { ...gap, awaited };
    });
  }

  /** Moves on: silences grow. Forgets the gaps that no window reaches, and what lies ahead of a clock that was set back. */
  advance(nowMs: number, longestMs: number): void {
    this.#firstMs = Math.min(this.#firstMs, nowMs);
    this.#listen(nowMs);
    for (const [producer, { fromMs, toMs }] of this.#silences) {
      if (fromMs >= nowMs || toMs <= nowMs - longestMs) this.#silences.delete(producer);
      else if (toMs > nowMs) this.#silences.set(producer, { fromMs, toMs: nowMs });
    }
    if (this.#gaps.every(({ fromMs, toMs }) => fromMs < nowMs && toMs <= nowMs && toMs > nowMs - longestMs))
      return;
    this.#gaps = this.#gaps
      .map((gap) => ({ ...gap, toMs: Math.min(gap.toMs, nowMs) }))
      .filter(({ fromMs, toMs }) => fromMs < toMs && toMs > nowMs - longestMs);
  }

  #listen(nowMs: number): void {
    for (const producer of [...this.#gaps.flatMap(({ awaited }) => [...awaited]), ...this.#silences.keys()]) {
      if (this.#heard.has(producer)) continue;
      this.#heard.set(producer, { sinceMs: nowMs, hasDelivered: false, lastMs: nowMs, isRefused: false });
    }
    for (const [producer, { sinceMs, lastMs, isRefused }] of this.#heard) {
      if (nowMs - lastMs > GONE_AFTER_MS) {
        this.#heard.delete(producer);
        this.#fill(producer, Infinity);
      } else if (isRefused || nowMs - sinceMs > SILENT_AFTER_MS) {
        const fromMs = this.#silences.get(producer)?.fromMs ?? sinceMs;
        if (fromMs < nowMs) this.#silences.set(producer, { fromMs, toMs: nowMs });
      }
    }
  }

  /**
   * Of (now - ago - window, now - ago].
   * @param sinceMs nothing was kept before that, @param lostBeforeMs and what was before that is lost as in a gap
   */
  coverage(windowMs: number, agoMs: number, nowMs: number, sinceMs = 0, lostBeforeMs = 0): Coverage {
    const endMs = nowMs - agoMs;
    const beginMs = Math.min(endMs, Math.max(endMs - windowMs, this.#firstMs, sinceMs));
    const isWhole = this.#gaps.length === 0 && lostBeforeMs <= beginMs;
    const lostMs = isWhole ? 0 : lengthOf(beginMs, endMs, [...this.#gaps, { fromMs: 0, toMs: lostBeforeMs }]);
    return { covered: (endMs - beginMs - lostMs) / windowMs, lost: lostMs / windowMs };
  }

  /** The share of [fromMs, toMs) in which nothing is missing of any producer. @param sinceMs nothing was kept before that */
  wholeShare(fromMs: number, toMs: number, sinceMs = 0): number {
    if (toMs <= fromMs) return 0;
    const beginMs = Math.min(toMs, Math.max(fromMs, this.#firstMs, sinceMs));
    const missingMs = lengthOf(beginMs, toMs, [...this.#gaps, ...this.#silences.values()]);
    return (toMs - beginMs - missingMs) / (toMs - fromMs);
  }

  toRecord(): CoverageRecord {
    const gaps = this.#gaps.map((gap) => ({ ...gap, awaited: [...gap.awaited], isSilence: false }));
    const silences = [...this.#silences].map(([producer, span]) => ({
      ...span,
      awaited: [producer],
      isSilence: true,
    }));
    return { firstMs: this.#firstMs, gaps: [...gaps, ...silences] };
  }

  /** In place of all that is known so far. @param byMs how far this clock is ahead of the one that it was written down by */
  restore({ firstMs, gaps }: CoverageRecord, byMs: number): void {
    this.#firstMs = firstMs + byMs;
    this.#gaps = [];
    this.#silences.clear();
    for (const gap of gaps) {
      const [fromMs, toMs] = [gap.fromMs + byMs, gap.toMs + byMs];
      const [first] = gap.awaited;
      if (gap.isSilence && first !== undefined) this.#silences.set(first, { fromMs, toMs });
      else this.openGap(fromMs, toMs, gap.awaited);
    }
  }
}

/** How many ms of [beginMs, endMs) lie in at least one of the spans. */
function lengthOf(beginMs: number, endMs: number, spans: readonly Span[]): number {
  let length = 0;
  let reachedMs = beginMs;
  for (const { fromMs, toMs } of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const from = Math.max(fromMs, reachedMs);
    const to = Math.min(toMs, endMs);
    if (to > from) {
      length += to - from;
      reachedMs = to;
    }
  }
  return length;
}
