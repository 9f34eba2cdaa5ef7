// What the instances of a process share: one thing for each key, however many instances ask for it. Kong makes an instance for
// each of its workers and each configuration, and again after a pause. A thing that nobody uses since a newer one was made, as
// after a change of the configuration, is handed out to be ended.

/** Longer than Kong takes to replace its instances after a change of its configuration, and than an idle hour is short. */
const UNUSED_AFTER_MS = 3_600_000;

interface Entry<Thing> {
  readonly thing: Thing;
  /** When an instance asked for it last, monotonic ms. */
  askedForAtMs: number;
  /** Its events when it was looked at last. */
  events: number;
}

export class SharedByKey<Thing extends { readonly events: number }> {
  readonly #entries = new Map<string, Entry<Thing>>();

  /** @param endUnused takes a thing that is no longer shared */
  constructor(
    private readonly endUnused: (thing: Thing) => void,
    private readonly unusedAfterMs = UNUSED_AFTER_MS,
  ) {}

  /** The oldest first. */
  get all(): Thing[] {
    return [...this.#entries.values()].map(({ thing }) => thing);
  }

  thingFor(key: string, make: () => Thing): Thing {
    const nowMs = performance.now();
    const known = this.#entries.get(key);
    if (known) {
      known.askedForAtMs = nowMs;
      return known.thing;
    }
    const thing = make();
    this.#entries.set(key, { thing, askedForAtMs: nowMs, events: 0 });
    if (this.#entries.size === 2) this.#lookLater();
    return thing;
  }

  #lookLater(): void {
    for (const entry of this.#entries.values()) entry.events = entry.thing.events;
    setTimeout(() => this.#endUnused(), this.unusedAfterMs).unref();
  }

  /** The newest lives on, used or not: an idle gateway has no other. */
  #endUnused(): void {
    const nowMs = performance.now();
    for (const [key, { thing, askedForAtMs, events }] of [...this.#entries].slice(0, -1)) {
      if (thing.events > events || nowMs - askedForAtMs < this.unusedAfterMs) continue;
      this.#entries.delete(key);
      this.endUnused(thing);
    }
    if (this.#entries.size > 1) this.#lookLater();
  }
}
