// Lets so many pass at once, then so many a minute. Time is given, in ms of a clock that may be set back: the time that is then
// passed through again fills it again, and nothing is waited for that has passed already.
import type { Rate } from '../settings/sentry-settings';

/** What one costs: a rate of so many a minute fills in so many each ms, which stays exact in whole numbers. */
const ONE = 60_000;

export class TokenBucket {
  readonly #rate: Rate;
  #level: number;
  #filledAtMs: number;

  /** Full at first. */
  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#level = rate.burst * ONE;
    this.#filledAtMs = nowMs;
  }

  /** Whether one may pass now. */
  hasToken(nowMs: number): boolean {
    const passedMs = nowMs - this.#filledAtMs;
    this.#filledAtMs = nowMs;
    if (passedMs > 0) {
      this.#level = Math.min(this.#rate.burst * ONE, this.#level + passedMs * this.#rate.perMinute);
    }
    return this.#level >= ONE;
  }

  /** After `hasToken`: one passes. */
  take(): void {
    this.#level -= ONE;
  }
}
