// A receiver of notifications on 127.0.0.1 that answers as the test tells it.
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { closeServer, listenOnLoopback, loopbackUrl, readBody } from './loopback-server';

export interface ScriptedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * `hang`: no answer at all. `hang_in_body`: a 200 whose body stops. `break_in_body`: a 200 whose body breaks off.
 * `endless`: a 200 whose body goes on for as long as it is read.
 */
export type Script =
  ScriptedAnswer | 'hang' | 'hang_in_body' | 'break_in_body' | 'endless' | 'reset' | 'garbage';

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
  if (script === 'hang') return;
  if (script === 'reset') {
    response.socket?.resetAndDestroy();
  } else if (script === 'garbage') {
    response.socket?.end('this is not HTTP\r\n\r\n');
  } else if (script === 'hang_in_body') {
    response.writeHead(200).write('o');
  } else if (script === 'endless') {
    const write = () => void response.write('x'.repeat(65_536));
    response.writeHead(200).on('drain', write);
    write();
  } else if (script === 'break_in_body') {
    response.writeHead(200, { 'content-length': '2' }).write('o', () => response.socket?.resetAndDestroy());
  } else {
    response.writeHead(script.status, script.headers).end(script.body);
  }
}
