// When Prometheus got new samples, from the times of the newest at each step. A step without a new one is nothing unusual where it scrapes
// less often than the steps are; where none comes for more than twice as long as usual, it has missed some.

/** To be robust against a few that were missed, and to follow an interval that is changed. */
const REMEMBERED = 21;

export interface Scrapes {
  /** The targets that have a new sample. */
  readonly fresh: ReadonlySet<string>;
  /** Since when there should have been one; at the step that ends it too. `undefined`: all is as usual. */
  readonly missedSinceMs: number | undefined;
}

export class ScrapeTimes {
  readonly #stepMs: number;
  /** Target -> the time of its newest sample, Unix seconds. */
  readonly #newest = new Map<string, number>();
  readonly #intervalsMs: number[] = [];
  /** The last step with a new sample, Unix ms. */
  #newsMs: number | undefined;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  /** @param atMs the step's time, Unix ms @param sampled target -> time of its newest sample, Unix seconds */
  take(atMs: number, sampled: ReadonlyMap<string, number>): Scrapes {
    const fresh = new Set(
      [...sampled].flatMap(([target, at]) => (this.#newest.get(target) === at ? [] : [target])),
    );
    for (const target of fresh) this.#newest.set(target, sampled.get(target) ?? 0);
    const sinceMs = this.#newsMs;
    const agoMs = atMs - (sinceMs ?? atMs);
    const missedSinceMs = agoMs > 2 * this.#usualMs() ? sinceMs : undefined;
    if (fresh.size > 0) {
      this.#newsMs = atMs;
      if (sinceMs !== undefined) this.#intervalsMs.push(agoMs);
      if (this.#intervalsMs.length > REMEMBERED) this.#intervalsMs.shift();
    }
    return { fresh, missedSinceMs };
  }

  #usualMs(): number {
    const inOrder = [...this.#intervalsMs].sort((a, b) => a - b);
    // Before anything is known of it, the usual minute.
    return Math.max(this.#stepMs, inOrder[inOrder.length >> 1] ?? 60_000);
  }
}
