// What is said about the delivery: that it fails, once and then once a minute, and that it works again.
import type { PluginLog } from './plugin-log';

const REPEAT_AFTER_MS = 60_000;

export class DeliveryLog {
  readonly #log: PluginLog;
  #failures = 0;
  #saidAtMs = 0;

  constructor(log: PluginLog) {
    this.#log = log;
  }

  /** @param nowMs monotonic */
  failed(reason: string, pendingRequests: number, nowMs: number): void {
    this.#failures += 1;
    if (this.#failures > 1 && nowMs - this.#saidAtMs < REPEAT_AFTER_MS) return;
    this.#saidAtMs = nowMs;
    this.#log('error', 'a batch could not be delivered; it is kept and sent again', {
      reason,
      failures: this.#failures,
      pendingRequests,
    });
  }

  succeeded(): void {
    if (this.#failures > 0) this.#log('info', 'batches are delivered again', { failures: this.#failures });
    this.#failures = 0;
  }
}
