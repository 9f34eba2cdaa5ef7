// What waits to be sent to Sentry, in two bounds: a number of items, and their bytes. Errors go first, each kind in the order in
// which it came. Where it is full, the oldest of the last kind has to go: an error only where nothing else is left.
import type { EnvelopeItem, ItemCategory } from './envelope-item';

/**
 * An error says the most. A check-in that is missing is an alert by itself. Then come transactions, of which there are many, and
 * what is only of use beside them.
 */
const ORDER: readonly ItemCategory[] = [
  'error',
  'monitor',
  'transaction',
  'internal',
  'profile_chunk',
  'other',
];

export interface QueueBounds {
  readonly items: number;
  readonly bytes: number;
}

export class EnvelopeQueue {
  readonly #bounds: QueueBounds;
  readonly #waiting = new Map<ItemCategory, EnvelopeItem[]>(ORDER.map((category) => [category, []]));
  #items = 0;
  #bytes = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#items;
  }

  /** @returns what has to go for it, or itself */
  add(item: EnvelopeItem): EnvelopeItem[] {
    this.#of(item.category).push(item);
    return this.#trim(item);
  }

  /** What was taken, and is to be the next again. @returns what has to go for it, or itself */
  putBack(item: EnvelopeItem): EnvelopeItem[] {
    this.#of(item.category).unshift(item);
    return this.#trim(item);
  }

  takeNext(): EnvelopeItem | undefined {
    for (const category of ORDER) {
      const item = this.#takeOldest(category);
      if (item) return item;
    }
    return undefined;
  }

  takeAll(isWanted: (category: ItemCategory) => boolean): EnvelopeItem[] {
    return ORDER.filter(isWanted).flatMap((category) => {
      const taken: EnvelopeItem[] = [];
      for (let item = this.#takeOldest(category); item; item = this.#takeOldest(category)) taken.push(item);
      return taken;
    });
  }

  #trim(added: EnvelopeItem): EnvelopeItem[] {
    this.#items += 1;
    this.#bytes += sizeOf(added);
    const gone: EnvelopeItem[] = [];
    while (this.#items > this.#bounds.items || this.#bytes > this.#bounds.bytes) {
      const last = ORDER.findLast((category) => this.#of(category).length > 0);
      const item = last && this.#takeOldest(last);
      if (!item) break;
      gone.push(item);
    }
    return gone;
  }

  #takeOldest(category: ItemCategory): EnvelopeItem | undefined {
    const item = this.#of(category).shift();
    if (!item) return undefined;
    this.#items -= 1;
    this.#bytes -= sizeOf(item);
    return item;
  }

  #of(category: ItemCategory): EnvelopeItem[] {
    return this.#waiting.get(category) ?? [];
  }
}

function sizeOf({ bytes }: EnvelopeItem): number {
  return bytes?.length ?? 0;
}
