// An upstream on 127.0.0.1 that does with each request what the test says.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeServer, listenOnLoopback } from './loopback-server';

export class ScriptedUpstream {
  readonly requests: IncomingMessage[] = [];
  connections = 0;
  readonly #server: Server;

  static async start(answer: RequestListener): Promise<ScriptedUpstream> {
    const upstream = new ScriptedUpstream(answer);
    await listenOnLoopback(upstream.#server);
    return upstream;
  }

  private constructor(answer: RequestListener) {
    this.#server = createServer((request, response) => {
      this.requests.push(request);
      answer(request, response);
    });
    this.#server.on('connection', () => (this.connections += 1));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }
}
