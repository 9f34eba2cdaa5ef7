// What is said about the way to Sentry: one line where it begins to fail, and for each kind of item that it refuses, and one where
// that ends. Neither an address nor a key is in it.
import type { Logger } from 'pino';
import type { Clock } from '../clock';

/** No kind of item. */
const AWAY = '';

export class TransportLog {
  readonly #receiver: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** Kind of item -> monotonic ms since which it is refused. */
  readonly #sinceMs = new Map<string, number>();

  /** @param receiver such as `Sentry` */
  constructor(receiver: string, logger: Logger, clock: Clock) {
    this.#receiver = receiver;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** @param reason a code such as ECONNREFUSED, without an address */
  notAnswered(reason: string): void {
    this.#begin(AWAY, { reason }, 'cannot be reached, or fails');
  }

  /** @param items the kinds that were in the envelope */
  answered(status: number, items: readonly string[]): void {
    if (status >= 500) {
      this.notAnswered(`answered ${status}`);
      return;
    }
    this.#end(AWAY, {}, 'answers again');
    for (const item of items) {
      if (status >= 200 && status < 300) this.#end(item, { item }, 'takes it again');
      else this.#begin(item, { item, reason: `answered ${status}` }, 'refuses it');
    }
  }

  #begin(what: string, fields: object, sentence: string): void {
    if (this.#sinceMs.has(what)) return;
    this.#sinceMs.set(what, this.#clock.monotonicMs());
    this.#logger.warn(
      fields,
      `what the sidecar tells ${this.#receiver} of itself: ${this.#receiver} ${sentence}; it is counted, and not sent again`,
    );
  }

  #end(what: string, fields: object, sentence: string): void {
    const sinceMs = this.#sinceMs.get(what);
    if (sinceMs === undefined) return;
    this.#sinceMs.delete(what);
    const afterMs = Math.round(this.#clock.monotonicMs() - sinceMs);
    this.#logger.info(
      { ...fields, afterMs },
      `what the sidecar tells ${this.#receiver} of itself: ${this.#receiver} ${sentence}`,
    );
  }
}
