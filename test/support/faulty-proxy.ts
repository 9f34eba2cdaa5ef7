// Stands between a producer and the real sidecar, and spoils what a script tells it to: answers, and requests. The sidecar's
// own word is never made up: where a fault ends in a valid receipt, the sidecar gave it.
import {
  request as send,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BATCH_PATH, MAX_BODY_BYTES, type BatchDocument } from '../../kong-plugin/contract/batch';

/** What the sidecar, or nobody, has answered. */
interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** One request of a producer, and the means to spoil it. */
interface Exchange {
  readonly bytes: Buffer;
  readonly socket: Socket;
  readonly response: ServerResponse;
  readonly random: () => number;
  /** Gives the sidecar these bytes, as often as it is called. */
  readonly forward: (bytes?: Buffer) => Promise<Answer>;
  /** Gives the sidecar half of the producer's bytes and breaks off. */
  readonly forwardHalf: () => Promise<void>;
  /** Gives the sidecar the producer's bytes after so many further requests. */
  readonly replayLater: (requests: number) => void;
  /** Longer than the producer waits. */
  readonly lateMs: number;
  /** Where redirects point: nobody may ever ask there. */
  readonly elsewhere: string;
}

/** Plays one fault. A fault whose answer the producer must take ends with `pass`. */
type Play = (exchange: Exchange) => Promise<void> | void;

const PAGE = '<!doctype html><html><title>Corporate proxy</title><p>Please sign in to go on.</html>';
const FOREIGN_FAULT = JSON.stringify({ error: 'bad_request', message: 'not what this proxy likes' });

function pass({ response }: Exchange, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

/** An answer of somebody else; in every second case the sidecar has counted the batch all the same. */
function instead(status: number, headers: Record<string, string> = {}, body = ''): Play {
  return async ({ forward, response, random }) => {
    if (random() < 0.5) await forward();
    response.writeHead(status, headers).end(body);
  };
}

function redirect(status: number): Play {
  return (exchange) => instead(status, { location: exchange.elsewhere })(exchange);
}

function pageWith(status: number): Play {
  return instead(status, { 'content-type': 'text/html' }, PAGE);
}

/** The sidecar's own receipt, changed. */
function receiptWith(change: (receipt: Record<string, unknown>) => void): Play {
  return async ({ forward, response }) => {
    const receipt = JSON.parse((await forward()).body.toString()) as Record<string, unknown>;
    change(receipt);
    response.end(JSON.stringify(receipt));
  };
}

/** Faults after which the producer has no receipt, and must send the same bytes again. */
export const UNANSWERED = {
  'the connection is closed before the request is read': ({ socket }) => void socket.resetAndDestroy(),
  'the answer is swallowed after the commit': async ({ forward, socket }) => {
    await forward();
    socket.destroy();
  },
  'the answer is late': async ({ forward, response, lateMs }) => {
    const { body } = await forward();
    await delay(lateMs);
    response.end(body);
  },
  'the answer drips': async ({ forward, response, lateMs }) => {
    const { body } = await forward();
    response.writeHead(200, { 'content-length': body.length });
    for (const byte of body) {
      await delay(lateMs / 40);
      if (response.destroyed) return;
      response.write(Buffer.from([byte]));
    }
  },
  'the answer is noise': async ({ forward, socket, random }) => {
    await forward();
    socket.end(Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))));
  },
  'a byte of the receipt is changed': async ({ forward, response, random }) => {
    const { body } = await forward();
    const at = Math.floor(random() * body.length);
    body[at] = (body[at] ?? 0) ^ (1 + Math.floor(random() * 255));
    response.end(body);
  },
  'the receipt is cut off, with a length that fits': async ({ forward, response, random }) => {
    const { body } = await forward();
    response.end(body.subarray(0, Math.floor(random() * body.length)));
  },
  'the receipt is cut off, with a length that does not fit': async ({ forward, response }) => {
    const { body } = await forward();
    response.writeHead(200, { 'content-length': body.length }).write(body.subarray(0, body.length - 5));
    response.socket?.end();
  },
  'the connection is reset in the middle of the body': async ({ forward, response, socket }) => {
    const { body } = await forward();
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, 10), () => socket.resetAndDestroy());
  },
  'the answer has no end': async ({ forward, response }) => {
    await forward();
    response.write(' '.repeat(100_000));
  },
  'the request is cut off on its way': async ({ forwardHalf, socket }) => {
    await forwardHalf();
    socket.destroy();
  },
  500: instead(500),
  502: pageWith(502),
  503: instead(503),
  504: pageWith(504),
  '429 with Retry-After': instead(429, { 'retry-after': '1' }),
  401: instead(401, { 'www-authenticate': 'Basic realm="proxy"' }),
  403: pageWith(403),
  404: pageWith(404),
  301: redirect(301),
  302: redirect(302),
  307: redirect(307),
  308: redirect(308),
  'a page with 200': pageWith(200),
  'an empty 200': instead(200),
  204: instead(204),
  'a receipt of another sequence': receiptWith((receipt) => {
    receipt['sequence'] = Number(receipt['sequence']) + 1;
  }),
  'a receipt of another producer': receiptWith((receipt) => {
    receipt['producer'] = '00000000-0000-0000-0000-000000000000';
  }),
  'a receipt without a result': receiptWith((receipt) => delete receipt['result']),
  'a page with 400': pageWith(400),
  'a page with 413': pageWith(413),
  '422 with the fault of another program': instead(422, {}, FOREIGN_FAULT),
  'the request is held and comes after newer ones': ({ replayLater, socket }) => {
    replayLater(3);
    socket.destroy();
  },
} satisfies Record<string, Play>;

/** Faults that the producer does not notice: it gets its receipt. */
export const UNNOTICED = {
  nothing: async (exchange) => pass(exchange, await exchange.forward()),
  'the request is sent twice at once': async (exchange) => {
    const [first, second] = await Promise.all([exchange.forward(), exchange.forward()]);
    pass(exchange, exchange.random() < 0.5 ? first : second);
  },
  'the request is sent three times, one after the other': async (exchange) => {
    await exchange.forward();
    await exchange.forward();
    pass(exchange, await exchange.forward());
  },
  'the request comes again after newer ones': async (exchange) => {
    exchange.replayLater(2);
    pass(exchange, await exchange.forward());
  },
  'the answer comes after an early hint': async (exchange) => {
    exchange.response.writeEarlyHints({ link: '</x>; rel=preload' });
    pass(exchange, await exchange.forward());
  },
  'the answer comes twice': async ({ forward, socket }) => {
    const { body } = await forward();
    const answer = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body.toString()}`;
    socket.end(answer + answer);
  },
} satisfies Record<string, Play>;

/** Faults in the request that the sidecar itself refuses for good, with its own fault code. */
export const REFUSED = {
  'not_json (400)': async (exchange) => {
    pass(exchange, await exchange.forward(exchange.bytes.subarray(0, exchange.bytes.length - 1)));
  },
  'too_large (413)': async (exchange) => {
    pass(exchange, await exchange.forward(Buffer.alloc(MAX_BODY_BYTES + 1, exchange.bytes)));
  },
  'invalid_batch (422)': async (exchange) => {
    const padded = Buffer.concat([exchange.bytes, Buffer.from(' ')]);
    pass(exchange, await exchange.forward(padded));
  },
} satisfies Record<string, Play>;

export type WireFault = keyof typeof UNANSWERED | keyof typeof UNNOTICED | keyof typeof REFUSED;

const PLAYS: Readonly<Record<WireFault, Play>> = { ...UNANSWERED, ...UNNOTICED, ...REFUSED };

/** One request as it came, and what became of it. */
export interface Passed {
  readonly atMs: number;
  readonly fault: WireFault;
  readonly sequence: number;
  readonly bytes: Buffer;
}

export class FaultyProxy {
  /** Every request with a batch, in order. */
  readonly passed: Passed[] = [];
  /** Requests that were none for batches: somebody followed a redirect. */
  strays = 0;
  /** Answers of the sidecar to what was replayed later, by status and result. */
  readonly replayed: string[] = [];
  readonly #server: Server;
  readonly #sidecarUrl: string;
  readonly #lateMs: number;
  readonly #random: () => number;
  readonly #pending = new Set<Promise<unknown>>();
  #held: { bytes: Buffer; after: number }[] = [];
  #next: () => WireFault;
  #waiting: { isSo: () => boolean; tell: () => void }[] = [];

  /**
   * @param lateMs longer than the producer's request timeout
   * @param next asked for every request with a batch
   */
  static async start(
    sidecarUrl: string,
    lateMs: number,
    random: () => number,
    next: () => WireFault,
  ): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(sidecarUrl, lateMs, random, next);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(sidecarUrl: string, lateMs: number, random: () => number, next: () => WireFault) {
    this.#sidecarUrl = sidecarUrl;
    this.#lateMs = lateMs;
    this.#random = random;
    this.#next = next;
    this.#server = createServer((request, response) => {
      // A fault may break off its own exchange; what counts is what the producer and the sidecar make of it.
      this.#track(this.#serve(request, response).catch(() => response.destroy()));
    });
    // Otherwise it would end a connection on which nothing came for five seconds, maybe just when something comes.
    this.#server.keepAliveTimeout = 0;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests that left the producer without a receipt. */
  get unanswered(): number {
    return this.passed.filter(({ fault }) => fault in UNANSWERED).length;
  }

  /** Settles once it is so; asked again after every request. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((tell) => this.#waiting.push({ isSo, tell }));
  }

  /** From here on everything passes; what is held back is brought to the sidecar first. */
  async mend(): Promise<void> {
    this.#next = () => 'nothing';
    for (const { bytes } of this.#held.splice(0)) await this.#replay(bytes);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await Promise.all(this.#pending);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url !== BATCH_PATH) {
      this.strays += 1;
      response.end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const { sequence } = JSON.parse(bytes.toString()) as BatchDocument;
    const fault = this.#next();
    this.passed.push({ atMs: performance.now(), fault, sequence, bytes });
    this.#bringHeld();
    this.#waiting = this.#waiting.filter(({ isSo, tell }) => {
      if (!isSo()) return true;
      tell();
      return false;
    });
    await PLAYS[fault]({
      bytes,
      socket: request.socket,
      response,
      random: this.#random,
      forward: (other = bytes) => this.#forward(other),
      forwardHalf: () => this.#forwardHalf(bytes),
      replayLater: (requests) => void this.#held.push({ bytes, after: this.passed.length + requests }),
      lateMs: this.#lateMs,
      elsewhere: `${this.url}/elsewhere`,
    });
  }

  #bringHeld(): void {
    const due = this.#held.filter(({ after }) => after <= this.passed.length);
    this.#held = this.#held.filter((held) => !due.includes(held));
    for (const { bytes } of due) this.#track(this.#replay(bytes));
  }

  async #replay(bytes: Buffer): Promise<void> {
    const { status, body } = await this.#forward(bytes);
    this.replayed.push(`${status} ${(JSON.parse(body.toString()) as { result?: string }).result ?? ''}`);
  }

  #forward(bytes: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = send(`${this.#sidecarUrl}${BATCH_PATH}`, { method: 'POST', agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
        answer.once('error', reject);
      });
      request.once('error', reject);
      request.end(bytes);
    });
  }

  #forwardHalf(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const headers = { 'content-length': bytes.length };
      const request = send(`${this.#sidecarUrl}${BATCH_PATH}`, { method: 'POST', agent: false, headers });
      request.once('close', resolve).on('error', () => undefined);
      request.write(bytes.subarray(0, bytes.length / 2), () => request.destroy());
    });
  }

  #track(work: Promise<unknown>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }
}
