// Which slots have changed since they were last written down, and which are gone.

export interface ChangedSlots {
  readonly dirty: readonly number[];
  readonly dropped: readonly number[];
}

export class SlotChanges {
  readonly #dirty = new Set<number>();
  readonly #dropped = new Set<number>();

  mark(slot: number): void {
    this.#dirty.add(slot);
    this.#dropped.delete(slot);
  }

  drop(slot: number): void {
    this.#dropped.add(slot);
    this.#dirty.delete(slot);
  }

  /** It is written down as it is. */
  settle(slot: number): void {
    this.#dirty.delete(slot);
  }

  /** All since the last call. */
  take(): ChangedSlots {
    const changed = { dirty: [...this.#dirty], dropped: [...this.#dropped] };
    this.#dirty.clear();
    this.#dropped.clear();
    return changed;
  }
}
