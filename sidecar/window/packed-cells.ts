// Cells of a histogram in the memory of a plain list: [cell, count, cell, count, ...], ascending. A Map takes three times as much,
// and there is one such list for every operation, outcome and slot.
import type { Cells } from '../../kong-plugin/contract/histogram';

export type PackedCells = number[];

/** Adds `count` observations to one cell. */
export function addCell(cells: PackedCells, cell: number, count: number): void {
  let low = 0;
  let high = cells.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cells[2 * middle] ?? Infinity) >= cell) high = middle;
    else low = middle + 1;
  }
  if (cells[2 * low] === cell) cells[2 * low + 1] = (cells[2 * low + 1] ?? 0) + count;
  else if (2 * low === cells.length) cells.push(cell, count);
  else cells.splice(2 * low, 0, cell, count);
}

/** Adds all of `packed` to `cells`; returns how many observations those are. */
export function unpackInto(cells: Cells, packed: PackedCells): number {
  let total = 0;
  for (let index = 0; index < packed.length; index += 2) {
    const cell = packed[index] ?? 0;
    const count = packed[index + 1] ?? 0;
    cells.set(cell, (cells.get(cell) ?? 0) + count);
    total += count;
  }
  return total;
}

/** Takes all of `packed` out of `cells`, which hold at least that; a cell of none goes. Returns how many observations those are. */
export function takeFrom(cells: Cells, packed: PackedCells): number {
  let total = 0;
  for (let index = 0; index < packed.length; index += 2) {
    const cell = packed[index] ?? 0;
    const count = packed[index + 1] ?? 0;
    const left = (cells.get(cell) ?? 0) - count;
    if (left > 0) cells.set(cell, left);
    else cells.delete(cell);
    total += count;
  }
  return total;
}
