// From the values of counters at each step to what they rose by. Differences of the raw values, never extrapolated.
//
// A counter that is lower than before has begun anew: all of it is new. One that appears where its target was there before begins at 0, as
// the ledger's do. Where the target itself was not seen before, what its counters hold is older than the replay. A target is in those steps
// only that have a new sample of it: what its counters rose by happened somewhere in the steps since the one before.
// The buckets of one histogram are the parts of one counter: all of them begin anew together. A part that appears later, since a bound was
// added, counts from its second value on.

/** Part -> value: the buckets of a histogram by their bound in ms; of a plain counter one part, `PLAIN`. */
export type Parts = ReadonlyMap<number, number>;

export const PLAIN = 0;

export interface Reading {
  /** Tells a counter from all others, of other targets too. */
  readonly key: string;
  /** Where it was scraped. */
  readonly target: string;
  readonly parts: Parts;
}

export interface Rise {
  readonly key: string;
  readonly parts: Parts;
  /** Over how many steps, this one included. */
  readonly steps: number;
}

export class CounterSteps {
  readonly #last = new Map<string, { readonly step: number; readonly parts: Parts }>();
  /** Target -> the last step in which it was there. */
  readonly #targets = new Map<string, number>();

  /** The targets that were ever there. */
  get targets(): Iterable<string> {
    return this.#targets.keys();
  }

  /** @param step its number; greater than those before */
  take(step: number, readings: readonly Reading[]): Rise[] {
    const rises: Rise[] = [];
    for (const { key, target, parts } of readings) {
      const targetStep = this.#targets.get(target);
      const before = this.#last.get(key);
      this.#last.set(key, { step, parts });
      if (targetStep === undefined) continue;
      // One that was gone while its target was there was forgotten, and has begun anew.
      const isContinued = before?.step === targetStep;
      const rise = isContinued ? riseOf(before.parts, parts) : parts;
      if ([...rise.values()].some((value) => value > 0))
        rises.push({ key, parts: rise, steps: step - targetStep });
    }
    for (const { target } of readings) this.#targets.set(target, step);
    return rises;
  }
}

function riseOf(before: Parts, now: Parts): Parts {
  const hasBegunAnew = [...now].some(([part, value]) => value < (before.get(part) ?? 0));
  if (hasBegunAnew) return now;
  const rise = new Map<number, number>();
  for (const [part, value] of now) {
    const old = before.get(part);
    if (old !== undefined) rise.set(part, value - old);
  }
  return rise;
}
