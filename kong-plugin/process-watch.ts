// How this process is: what its event loop and its memory say, for the batches.
import type { ProcessFigures } from './contract/batch';

/** How often the event loop is looked at. A shorter delay is not always seen. */
const LOOK_EVERY_MS = 20;

export class ProcessWatch {
  readonly #timer: NodeJS.Timeout;
  #lookedAtMs = performance.now();
  #lagMs = 0;

  /**
   * Node's own monitorEventLoopDelay would do without JavaScript, but it does not see a delay that begins before its first
   * look after a reset.
   */
  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** @returns how it was since the last call */
  read(pendingRequests: number): ProcessFigures {
    this.#look();
    const eventLoopLagMs = Math.round(this.#lagMs);
    this.#lagMs = 0;
    return { pendingRequests, eventLoopLagMs, residentMemoryBytes: process.memoryUsage.rss() };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    this.#lagMs = Math.max(this.#lagMs, nowMs - this.#lookedAtMs - LOOK_EVERY_MS);
    this.#lookedAtMs = nowMs;
  }
}
