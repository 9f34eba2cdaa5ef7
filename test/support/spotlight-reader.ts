// What a Spotlight has taken and decoded, by its own interface: server-sent events of one envelope each, from the first of the
// 500 that it keeps. In: its address. Out: the items of all envelopes, as they come.
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ErrorEvent, TransactionEvent } from '@sentry/core';

const ENVELOPE = 'application/x-sentry-envelope';

type Item = readonly [header: { readonly type: string }, payload: unknown];

export class SpotlightReader {
  readonly items: Item[] = [];
  /** Kinds of entries that are no envelopes. */
  readonly strange: string[] = [];
  /** When it is closed, or Spotlight has ended and all it sent is read. */
  readonly ended: Promise<void>;
  readonly #end: AbortController;

  private constructor(body: Readable, end: AbortController) {
    this.#end = end;
    this.ended = this.#read(body).catch(() => undefined);
  }

  static async open(url: string): Promise<SpotlightReader> {
    const end = new AbortController();
    const { body } = await fetch(`${url}/stream`, { signal: end.signal });
    if (!body) throw new Error(`${url}/stream answered without a body`);
    return new SpotlightReader(Readable.fromWeb(body), end);
  }

  get events(): ErrorEvent[] {
    return this.#payloadsOf('event') as ErrorEvent[];
  }

  get transactions(): TransactionEvent[] {
    return this.#payloadsOf('transaction') as TransactionEvent[];
  }

  close(): Promise<void> {
    this.#end.abort();
    return this.ended;
  }

  #payloadsOf(type: string): unknown[] {
    return this.items.filter(([header]) => header.type === type).map(([, payload]) => payload);
  }

  async #read(body: Readable): Promise<void> {
    let kind = '';
    for await (const line of createInterface({ input: body, crlfDelay: Infinity })) {
      if (line.startsWith('event:')) kind = line.slice('event:'.length).trim();
      if (!line.startsWith('data:')) continue;
      if (kind === ENVELOPE) {
        const [, items] = JSON.parse(line.slice('data:'.length)) as [object, Item[]];
        this.items.push(...items);
      } else this.strange.push(kind);
    }
  }
}
