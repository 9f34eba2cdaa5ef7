// The pauses that Sentry asks for in its answers, by category of what is sent. Of several for the same category the longest
// holds, and one for all of them holds beside each (https://develop.sentry.dev/sdk/expected-features/rate-limiting/).
// Times are given; `nowMs` is of a steady clock.
import type { ItemCategory } from './envelope-item';

/** Where it asks without saying for how long. */
const UNSAID_SECONDS = 60;

/** Sentry's names of what we send; a limit on anything else does not concern us. */
const CATEGORIES = ['error', 'transaction', 'monitor', 'profile_chunk', 'internal'] as const;
type PausedCategory = (typeof CATEGORIES)[number] | 'all';

export interface Pause {
  readonly category: PausedCategory;
  readonly untilMs: number;
}

export interface LimitHeaders {
  readonly status: number;
  /** X-Sentry-Rate-Limits; it counts with any status. */
  readonly rateLimits: string | undefined;
  /** Retry-After; it counts with 429. */
  readonly retryAfter: string | undefined;
}

export class RateLimits {
  readonly #untilMs = new Map<PausedCategory, number>();

  /** What may not be sent now. */
  isPaused(category: ItemCategory, nowMs: number): boolean {
    return this.#isRunning('all', nowMs) || (category !== 'other' && this.#isRunning(category, nowMs));
  }

  /**
   * Takes over what an answer asks for.
   *
   * @param wallMs Unix ms, for a date in Retry-After
   * @returns the pauses that begin now; not those that are only made longer
   */
  update(answer: LimitHeaders, nowMs: number, wallMs: number): Pause[] {
    return readPauses(answer, nowMs, wallMs).filter(({ category, untilMs }) => {
      const begins = !this.#isRunning(category, nowMs) && untilMs > nowMs;
      this.#untilMs.set(category, Math.max(untilMs, this.#untilMs.get(category) ?? 0));
      return begins;
    });
  }

  #isRunning(category: PausedCategory, nowMs: number): boolean {
    return (this.#untilMs.get(category) ?? 0) > nowMs;
  }
}

function readPauses(
  { status, rateLimits, retryAfter }: LimitHeaders,
  nowMs: number,
  wallMs: number,
): Pause[] {
  if (rateLimits !== undefined && rateLimits.trim() !== '') {
    return rateLimits.split(',').flatMap((limit): Pause[] => {
      const [seconds = '', categories = ''] = limit.replace(/\s/g, '').split(':');
      const untilMs = nowMs + readSeconds(seconds) * 1_000;
      if (categories === '') return [{ category: 'all', untilMs }];
      const named = categories.split(';');
      return CATEGORIES.filter((category) => named.includes(category)).map((category) => ({
        category,
        untilMs,
      }));
    });
  }
  if (status !== 429) return [];
  return [{ category: 'all', untilMs: nowMs + readRetryAfterMs(retryAfter, wallMs) }];
}

/** Whole or with a fraction. */
function readSeconds(text: string): number {
  return /^\d{1,10}(\.\d*)?$/.test(text) ? Number(text) : UNSAID_SECONDS;
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3). */
function readRetryAfterMs(header: string | undefined, wallMs: number): number {
  const dateMs = header === undefined || /^[\d.\s]*$/.test(header) ? Number.NaN : Date.parse(header);
  if (!Number.isNaN(dateMs)) return Math.max(0, dateMs - wallMs);
  return readSeconds(header?.trim() ?? '') * 1_000;
}
