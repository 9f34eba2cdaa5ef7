// Bounds what all bodies together take of memory, from their first byte until the batch in them was counted or refused. Over
// the bound the one that has been on its way for the longest is answered 503 and its connection closed: who sends slowly or
// not to the end keeps out nobody, and a plugin sends the same bytes again.
import type { Request, RequestHandler, Response } from 'express';
import { MAX_BODY_BYTES } from '../../kong-plugin/contract/batch';

/** Sixteen of the largest batches, or 64 of those that plugins seal (1 MB). */
export const MAX_BODIES_BYTES = 16 * MAX_BODY_BYTES;

const RETRY_AFTER_SECONDS = 1;

interface Body {
  bytes: number;
  /** It is wholly there, and in the ledger's queue. */
  isWhole: boolean;
  readonly request: Request;
  readonly response: Response;
}

export class LimitedBodies {
  /** In the order in which they began. */
  readonly #bodies = new Map<Request, Body>();
  readonly #brokenOff = new WeakSet<Request>();
  #bytes = 0;

  /** @param onRefused told of each that was broken off */
  constructor(
    private readonly maxBytes: number,
    private readonly onRefused: () => void,
  ) {}

  /** What they take now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Stands before what reads the body. */
  readonly watch: RequestHandler = (request, response, next) => {
    const body: Body = { bytes: 0, isWhole: false, request, response };
    this.#bodies.set(request, body);
    request.on('data', (chunk: Buffer) => this.#grow(body, chunk.length));
    // A client that leaves takes back what is not yet in the queue.
    response.once('close', () => {
      if (!body.isWhole) this.#release(body);
    });
    next();
  };

  /** The same handler for bodies that are whole: each is held until it settles. */
  during(handle: RequestHandler): RequestHandler {
    return async (request, response, next) => {
      const body = this.#bodies.get(request);
      if (body) body.isWhole = true;
      try {
        await handle(request, response, next);
      } finally {
        // Its answer may wait long for a client that does not read.
        request.body = undefined;
        if (body) this.#release(body);
      }
    };
  }

  /** Whether `request` was answered and counted here. */
  hasBrokenOff(request: Request): boolean {
    return this.#brokenOff.has(request);
  }

  #grow(body: Body, bytes: number): void {
    if (!this.#bodies.has(body.request)) return;
    body.bytes += bytes;
    this.#bytes += bytes;
    // From here on it is read to its end and thrown away.
    if (body.bytes > MAX_BODY_BYTES) this.#release(body);
    while (this.#bytes > this.maxBytes) {
      const oldest = [...this.#bodies.values()].find((other) => !other.isWhole && other.bytes > 0);
      if (!oldest) return;
      this.#breakOff(oldest);
    }
  }

  #breakOff(body: Body): void {
    const { request, response } = body;
    this.#release(body);
    this.#brokenOff.add(request);
    this.onRefused();
    const end = (): void => void request.destroy();
    // Behind an answer that its client does not read, this one would wait for ever.
    if (response.socket === null || response.socket.writableLength > 0) {
      end();
      return;
    }
    response.once('finish', end);
    response
      .status(503)
      .set({ 'Retry-After': String(RETRY_AFTER_SECONDS), Connection: 'close' })
      .type('text/plain')
      .send(`expected at most ${this.maxBytes} bytes in all bodies at once, found more; send it again\n`);
  }

  #release(body: Body): void {
    if (this.#bodies.delete(body.request)) this.#bytes -= body.bytes;
  }
}
