// From readings of a counter that may begin at 0 again to a total that only grows: the increase since the first reading.

export class RunningTotal {
  #last: number | undefined;
  #total = 0;

  /**
   * Where the reading is under the last one and nothing has restarted, some of what it adds up is gone: how much came
   * since then cannot be told and counts as nothing.
   *
   * @param hasRestarted the counter began at 0 since the last reading. What it had counted after that reading is lost.
   * @returns the total
   */
  read(value: number, hasRestarted: boolean): number {
    const from = hasRestarted ? 0 : (this.#last ?? value);
    this.#last = value;
    this.#total += Math.max(0, value - from);
    return this.#total;
  }

  /** The last reading. */
  get last(): number | undefined {
    return this.#last;
  }
}
