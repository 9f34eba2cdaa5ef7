// A clock that stands still until a test turns it. Timers run in the order of their time, in `advance`.
import type { Clock } from '../../sidecar/clock';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #timers: Timer[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(startMs = Date.parse('2026-03-01T10:00:00Z')) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + delayMs, run };
    this.#timers.push(timer);
    for (const tell of this.#waiting.splice(0)) tell();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Settles once so many timers are set, at once if they are. */
  async timersSet(count: number): Promise<void> {
    while (this.#timers.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The system's clock is set; no time passes. */
  setBack(byMs: number): void {
    this.#wallMs -= byMs;
  }

  /** Time passes without timers being run, as in a round that takes long. */
  pass(byMs: number): void {
    this.#wallMs += byMs;
    this.#monotonicMs += byMs;
  }

  /** Time passes; due timers run, each at its own time. */
  advance(byMs: number): void {
    const endMs = this.#monotonicMs + byMs;
    for (;;) {
      const next = this.#nextTimer(endMs);
      if (!next) break;
      this.pass(Math.max(0, next.dueMs - this.#monotonicMs));
      next.run();
    }
    this.pass(Math.max(0, endMs - this.#monotonicMs));
  }

  /** The same, and whatever waits for a promise that is settled goes on after every timer. */
  async advanceAndSettle(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs;
    await settle();
    for (;;) {
      const next = this.#nextTimer(endMs);
      if (!next) break;
      this.pass(Math.max(0, next.dueMs - this.#monotonicMs));
      next.run();
      await settle();
    }
    this.pass(Math.max(0, endMs - this.#monotonicMs));
  }

  #nextTimer(endMs: number): Timer | undefined {
    const next = this.#timers.filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
    this.#timers = this.#timers.filter((timer) => timer !== next);
    return next;
  }
}

/** Everything that waits only for settled promises has gone on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
