// At most MOST_SCRAPES are answered at a time: each holds the value of every sample in memory until its client has read it.
// One more ends the one that began first, so that clients who do not read keep out nobody.
import type { ServerResponse } from 'node:http';

/** A pair of Prometheus servers, a person, and one to spare. */
export const MOST_SCRAPES = 4;

export class RunningScrapes {
  /** In the order in which they began. */
  readonly #responses = new Set<ServerResponse>();

  /** @returns whether another one was ended for it */
  begin(response: ServerResponse): boolean {
    const [oldest] = this.#responses;
    const isFull = oldest !== undefined && this.#responses.size >= MOST_SCRAPES;
    if (isFull) {
      this.#responses.delete(oldest);
      oldest.destroy();
    }
    this.#responses.add(response);
    response.once('close', () => this.#responses.delete(response));
    return isFull;
  }
}
