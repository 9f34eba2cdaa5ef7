// The counts of many slots in little memory: for each number a column of its own, in chunks of CHUNK_SLOTS slots. A column that
// holds only zeros takes nothing, one whose numbers all fit into 16 bits takes 2 bytes a slot, any other 8.
import type { Counts } from './counts';

const CHUNK_SLOTS = 256;
const MOST_SHORT = 0xffff;

type Column = Uint16Array | Float64Array;
type Chunk = (Column | undefined)[];

export class SlotColumns {
  readonly #chunks = new Map<number, Chunk>();

  add(slot: number, counts: Counts): void {
    const place = placeOf(slot);
    let chunk = this.#chunks.get(place.chunk);
    if (!chunk) this.#chunks.set(place.chunk, (chunk = []));
    for (let index = 0; index < counts.length; index += 1) {
      const added = counts[index] ?? 0;
      if (added === 0) continue;
      let column = (chunk[index] ??= new Uint16Array(CHUNK_SLOTS));
      const total = (column[place.offset] ?? 0) + added;
      if (total > MOST_SHORT && column instanceof Uint16Array)
        chunk[index] = column = Float64Array.from(column);
      column[place.offset] = total;
    }
  }

  /** Adds (1) or takes away (-1) what a slot holds. */
  addTo(target: Counts, slot: number, sign: 1 | -1): void {
    const place = placeOf(slot);
    const chunk = this.#chunks.get(place.chunk);
    if (!chunk) return;
    for (let index = 0; index < chunk.length; index += 1) {
      const column = chunk[index];
      if (column) target[index] = (target[index] ?? 0) + sign * (column[place.offset] ?? 0);
    }
  }

  clear(slot: number): void {
    const place = placeOf(slot);
    for (const column of this.#chunks.get(place.chunk) ?? []) if (column) column[place.offset] = 0;
  }

  /** Clears all slots that are older. */
  clearBefore(slot: number): void {
    const place = placeOf(slot);
    for (const [number, chunk] of this.#chunks) {
      if (number < place.chunk) this.#chunks.delete(number);
      else if (number === place.chunk) for (const column of chunk) column?.fill(0, 0, place.offset);
    }
  }
}

function placeOf(slot: number): { readonly chunk: number; readonly offset: number } {
  const chunk = Math.floor(slot / CHUNK_SLOTS);
  return { chunk, offset: slot - chunk * CHUNK_SLOTS };
}
