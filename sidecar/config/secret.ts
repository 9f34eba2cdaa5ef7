// A text that must not be shown. Whatever prints, inspects or serialises it shows a mark in its place, the one that
// Prometheus uses.
import { inspect } from 'node:util';

const MARK = '<secret>';

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the one place that sends or compares it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MARK;
  }

  toJSON(): string {
    return MARK;
  }

  [inspect.custom](): string {
    return MARK;
  }
}
