// How often something may begin: a bucket of tokens, so that a few come at once and in no minute more than `maxPerMinute`. It holds a
// sixth of a minute's worth, at least one, and is filled evenly with the rest.

const MINUTE_MS = 60_000;

export class RateLimit {
  #tokens: number;
  #burst: number;
  #perMs: number;
  #atMs: number;

  /** @param nowMs monotonic, as everywhere here */
  constructor(maxPerMinute: number, nowMs: number) {
    this.#burst = burstOf(maxPerMinute);
    this.#perMs = perMsOf(maxPerMinute);
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  /** For a reload. */
  reconfigure(maxPerMinute: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#burst = burstOf(maxPerMinute);
    this.#perMs = perMsOf(maxPerMinute);
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Takes a token, and tells whether there was one. */
  take(nowMs: number): boolean {
    if (this.waitMs(nowMs) > 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whole ms until there is a token; 0 where there is one. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= 1 - TOLERANCE ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs);
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}

/** Of sums of parts of a token. */
const TOLERANCE = 1e-9;

function burstOf(maxPerMinute: number): number {
  return Math.max(1, Math.floor(maxPerMinute / 6));
}

/** A bucket that was full lets its own tokens out in the first minute too. */
function perMsOf(maxPerMinute: number): number {
  const burst = burstOf(maxPerMinute);
  return (burst === 1 ? maxPerMinute : maxPerMinute - burst) / MINUTE_MS;
}
