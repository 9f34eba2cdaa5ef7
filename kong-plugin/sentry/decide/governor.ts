// Of the error events and transactions of one DSN, lets as many go as the quota is to bear: a token bucket for each fingerprint,
// one for all error events, one for transactions. What is held back is counted, and told by the next event of its fingerprint.
// It is asked up to 5,000 times a second: holding back allocates nothing.
import { MAX_HELD_BACK_TRACES, NOTHING_HELD_BACK, type HeldBack } from './held-back';
import type { GovernorSettings } from '../settings/sentry-settings';
import { TokenBucket } from './token-bucket';

/** More than services times operations times error types of most gateways; at some 300 bytes each. */
export const MAX_FINGERPRINTS = 1_000;

/** To look for a trace costs some microseconds: not in the midst of a storm. */
const MAX_SEARCHED = 50;

interface Fingerprint {
  readonly key: string;
  readonly bucket: TokenBucket;
  heldBack: number;
  sinceMs: number;
  traceIds: string[];
  /** The neighbours in the order in which they came last. */
  older: Fingerprint | undefined;
  newer: Fingerprint | undefined;
}

export class Governor {
  readonly #settings: GovernorSettings;
  readonly #fingerprints = new Map<string, Fingerprint>();
  #oldest: Fingerprint | undefined;
  #newest: Fingerprint | undefined;
  #total: TokenBucket | undefined;
  #transactions: TokenBucket | undefined;
  /** Held back, of fingerprints that are no longer kept. */
  #others = 0;
  #untold = 0;

  constructor(settings: GovernorSettings) {
    this.#settings = settings;
  }

  /** Error events that were held back, and that no event has told of yet. */
  get untold(): number {
    return this.#untold;
  }

  /**
   * Whether an error event may go. The bucket of a fingerprint that was forgotten, because MAX_FINGERPRINTS others came since,
   * is full again when it comes back; the one of all events bounds these too.
   *
   * @param key of its fingerprint; @param nowMs Unix ms, steady
   * @returns what the event is to tell of; `undefined`: it is held back, and counted
   */
  admitEvent(key: string, nowMs: number): HeldBack | undefined {
    const fingerprint = this.#touch(key, nowMs);
    this.#total ??= new TokenBucket(this.#settings.total, nowMs);
    // Both are asked, so that both go on with the time.
    const hasOwn = fingerprint.bucket.hasToken(nowMs);
    const hasTotal = this.#total.hasToken(nowMs);
    if (!hasOwn || !hasTotal) {
      if (fingerprint.heldBack === 0) fingerprint.sinceMs = nowMs;
      fingerprint.heldBack += 1;
      this.#untold += 1;
      return undefined;
    }
    fingerprint.bucket.take();
    this.#total.take();
    return this.#tell(fingerprint);
  }

  /** Whether it is worth to look for the trace id of the one that was held back last: among the first ones, until enough are found. */
  wantsTraceId(key: string): boolean {
    const fingerprint = this.#fingerprints.get(key);
    return (
      fingerprint !== undefined &&
      fingerprint.heldBack <= MAX_SEARCHED &&
      fingerprint.traceIds.length < MAX_HELD_BACK_TRACES
    );
  }

  /** @param traceId 32 hexadecimal digits, of one that was held back; of the first ones are kept */
  addTraceId(key: string, traceId: string): void {
    const traceIds = this.#fingerprints.get(key)?.traceIds;
    if (traceIds && traceIds.length < MAX_HELD_BACK_TRACES && !traceIds.includes(traceId)) {
      traceIds.push(traceId);
    }
  }

  /**
   * An event that had been admitted did not go: its next one tells of it. Its tokens are spent.
   *
   * @param heldBack what it carried and itself (`withEvent`)
   */
  giveBack(key: string, heldBack: HeldBack): void {
    const { count, sinceMs, traceIds, others = 0 } = heldBack;
    this.#others += others;
    this.#untold += count + others;
    const fingerprint = this.#fingerprints.get(key);
    if (!fingerprint) {
      this.#others += count;
      return;
    }
    if (fingerprint.heldBack === 0 || sinceMs < fingerprint.sinceMs) fingerprint.sinceMs = sinceMs;
    fingerprint.heldBack += count;
    // They are the earlier ones.
    fingerprint.traceIds = [...new Set([...traceIds, ...fingerprint.traceIds])].slice(
      0,
      MAX_HELD_BACK_TRACES,
    );
  }

  /** Whether a transaction may go. @param nowMs Unix ms, steady */
  admitTransaction(nowMs: number): boolean {
    this.#transactions ??= new TokenBucket(this.#settings.transactions, nowMs);
    if (!this.#transactions.hasToken(nowMs)) return false;
    this.#transactions.take();
    return true;
  }

  #tell(fingerprint: Fingerprint): HeldBack {
    const { heldBack: count, sinceMs, traceIds } = fingerprint;
    const others = this.#others;
    if (count === 0 && others === 0) return NOTHING_HELD_BACK;
    this.#untold -= count + others;
    this.#others = 0;
    fingerprint.heldBack = 0;
    fingerprint.traceIds = [];
    return { count, sinceMs: count === 0 ? 0 : sinceMs, traceIds, ...(others > 0 && { others }) };
  }

  /** Makes it the newest; the oldest goes where there are too many. */
  #touch(key: string, nowMs: number): Fingerprint {
    const known = this.#fingerprints.get(key);
    if (known) {
      if (known !== this.#newest) {
        this.#unlink(known);
        this.#link(known);
      }
      return known;
    }
    if (this.#oldest && this.#fingerprints.size >= MAX_FINGERPRINTS) {
      const forgotten = this.#oldest;
      this.#unlink(forgotten);
      this.#fingerprints.delete(forgotten.key);
      this.#others += forgotten.heldBack;
    }
    const fingerprint: Fingerprint = {
      key,
      bucket: new TokenBucket(this.#settings.issue, nowMs),
      heldBack: 0,
      sinceMs: 0,
      traceIds: [],
      older: undefined,
      newer: undefined,
    };
    this.#fingerprints.set(key, fingerprint);
    this.#link(fingerprint);
    return fingerprint;
  }

  #link(fingerprint: Fingerprint): void {
    fingerprint.older = this.#newest;
    fingerprint.newer = undefined;
    if (this.#newest) this.#newest.newer = fingerprint;
    this.#newest = fingerprint;
    this.#oldest ??= fingerprint;
  }

  #unlink({ older, newer }: Fingerprint): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }
}
