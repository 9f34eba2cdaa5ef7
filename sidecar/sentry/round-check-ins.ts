// From rounds of the rules to check-ins: one a minute at most, `error` where a round since the last one failed.

export interface CheckIn {
  readonly status: 'ok' | 'error';
  /** Of the longest round since the last check-in. */
  readonly durationMs: number;
}

const MINUTE_MS = 60_000;

/** Rounds come a little early or late. */
const TOLERANCE_MS = 500;

export class RoundCheckIns {
  #lastMs: number | undefined;
  #hasFailed = false;
  #durationMs = 0;

  /** @param nowMs monotonic; the first round checks in at once */
  add({ durationMs, failed }: { durationMs: number; failed: boolean }, nowMs: number): CheckIn | undefined {
    this.#hasFailed ||= failed;
    this.#durationMs = Math.max(this.#durationMs, durationMs);
    if (this.#lastMs !== undefined && nowMs - this.#lastMs < MINUTE_MS - TOLERANCE_MS) return undefined;
    const checkIn: CheckIn = { status: this.#hasFailed ? 'error' : 'ok', durationMs: this.#durationMs };
    this.#lastMs = nowMs;
    this.#hasFailed = false;
    this.#durationMs = 0;
    return checkIn;
  }
}

/** In whole minutes, as Sentry's schedules are: a round that comes less often than once a minute checks in as often as it comes. */
export function checkInMinutes(evaluationIntervalMs: number): number {
  return Math.max(1, Math.ceil(evaluationIntervalMs / MINUTE_MS));
}
