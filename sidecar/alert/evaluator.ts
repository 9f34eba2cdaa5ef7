// The rim of the alert path: asks the clock for the time and runs a round at every interval.
// Rounds keep to a fixed grid from `start`. One that takes longer than the interval makes the next one come at the next free
// point of the grid; rounds never pile up. One that throws is counted and logged, and the next one runs as usual.
import type { Logger } from 'pino';
import type { Clock } from '../clock';

export interface EvaluatorParts {
  /** All of a round, told the time of its beginning, Unix ms. */
  readonly round: (nowMs: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called at the end of every round, failed ones included. */
  readonly onRound: (round: { readonly durationMs: number; readonly failed: boolean }) => void;
  /** Told of what made a round fail, before `onRound`. */
  readonly onFault?: (error: unknown) => void;
}

export class Evaluator {
  readonly #parts: EvaluatorParts;
  #intervalMs: number;
  /** The grid point (monotonic ms) of the next round. */
  #dueMs = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: EvaluatorParts, intervalMs: number) {
    this.#parts = parts;
    this.#intervalMs = intervalMs;
  }

  /** The first round comes after one interval. */
  start(): void {
    this.stop();
    this.#dueMs = this.#parts.clock.monotonicMs();
    this.#schedule();
  }

  /** No round runs after this until `start`. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** For a reload: another interval begins now; the same one keeps to its grid, so that reloads hold up no round. */
  reconfigure(intervalMs: number): void {
    const isSameGrid = intervalMs === this.#intervalMs;
    this.#intervalMs = intervalMs;
    if (this.#cancelTimer && !isSameGrid) this.start();
  }

  #schedule(): void {
    const lateMs = Math.max(0, this.#parts.clock.monotonicMs() - this.#dueMs);
    this.#dueMs += (1 + Math.floor(lateMs / this.#intervalMs)) * this.#intervalMs;
    const delayMs = Math.max(0, this.#dueMs - this.#parts.clock.monotonicMs());
    const cancelTimer = this.#parts.clock.after(delayMs, () => {
      this.#runRound();
      // Not where the round itself led to a stop or a reload, which set its own timer.
      if (this.#cancelTimer === cancelTimer) this.#schedule();
    });
    this.#cancelTimer = cancelTimer;
  }

  #runRound(): void {
    const { round, clock, logger, onRound, onFault } = this.#parts;
    const beganMs = clock.monotonicMs();
    let failed = false;
    try {
      round(clock.nowMs());
    } catch (error) {
      failed = true;
      logger.error({ err: error }, 'a round of the rules failed; the next one runs as usual');
      onFault?.(error);
    }
    onRound({ durationMs: clock.monotonicMs() - beganMs, failed });
  }
}
