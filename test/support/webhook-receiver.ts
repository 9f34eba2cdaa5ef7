// A receiver of notifications on 127.0.0.1 that answers as the test tells it.
import {
  createServer,
  STATUS_CODES,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { inPieces } from './in-pieces';
import { closeServer, listenOnLoopback, loopbackUrl, readBody } from './loopback-server';

export interface ScriptedAnswer {
  readonly status: number;
  /** The usual ones where it is left out. */
  readonly reasonPhrase?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly flow?: Flow;
}

/**
 * How a body comes, if not at once. `pieces`: one after the other. `stops`: half of it, and then nothing. `breaks`: half of it, and
 * then a reset. `endless`: it, and then more for as long as it is read.
 */
export type Flow = 'pieces' | 'stops' | 'breaks' | 'endless';

/** `hang`: no answer at all. */
export type Script = ScriptedAnswer | 'hang' | 'reset' | 'garbage';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const OK: ScriptedAnswer = { status: 200, body: 'ok' };

export class WebhookReceiver {
  readonly requests: ReceivedRequest[] = [];
  /** How it answers once the script has ended. */
  otherwise: Script = OK;
  readonly #server: Server;
  readonly #script: Script[] = [];
  #waiting: { count: number; tell: () => void }[] = [];

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await listenOnLoopback(receiver.#server);
    return receiver;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      readBody(request, (body) => {
        const { method = '', url = '', headers } = request;
        this.requests.push({ method, path: url, headers, body: body.toString() });
        play(this.#script.shift() ?? this.otherwise, response);
        this.#waiting = this.#waiting.filter(({ count, tell }) => {
          if (count > this.requests.length) return true;
          tell();
          return false;
        });
      });
    });
  }

  /** The address with a path, `/` if none. */
  url(path = '/'): string {
    return `${loopbackUrl(this.#server)}${path}`;
  }

  /** The next answers, in order. */
  answer(...script: Script[]): void {
    this.#script.push(...script);
  }

  /** Settles once so many requests have come since the start. */
  received(count: number): Promise<void> {
    if (this.requests.length >= count) return Promise.resolve();
    return new Promise((tell) => this.#waiting.push({ count, tell }));
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }
}

function play(script: Script, response: ServerResponse): void {
  switch (script) {
    case 'hang':
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'garbage':
      response.socket?.end('this is not HTTP\r\n\r\n');
      return;
    default:
      writeAnswer(script, response);
  }
}

function writeAnswer(
  { status, reasonPhrase = STATUS_CODES[status] ?? '', headers, body = '', flow }: ScriptedAnswer,
  response: ServerResponse,
): void {
  response.writeHead(status, reasonPhrase, headers);
  const half = body.slice(0, Math.ceil(body.length / 2));
  switch (flow) {
    case undefined:
      response.end(body);
      break;
    case 'pieces':
      response.flushHeaders();
      void inPieces(body, (piece) => response.write(piece)).then(() => response.end());
      break;
    case 'stops':
      response.write(half);
      break;
    case 'breaks':
      response.write(half, () => response.socket?.resetAndDestroy());
      break;
    case 'endless': {
      const more = () => void response.write('x'.repeat(65_536));
      response.on('drain', more).write(body);
      more();
    }
  }
}
