// Stands between a plugin server and the sidecar, hands everything on as it is, and keeps what the batches were that were
// counted.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import type { BatchDocument } from '../../kong-plugin/contract/batch';

export interface MeasuredInterval {
  readonly startMs: number;
  readonly durationMs: number;
  readonly requests: number;
  /** By this process's clock. */
  readonly receivedMs: number;
}

export class MeasuringProxy {
  largestBytes = 0;
  batches = 0;
  readonly intervals: MeasuredInterval[] = [];
  readonly #server: Server;
  readonly #pool: Pool;

  static async start(sidecarUrl: string): Promise<MeasuringProxy> {
    const proxy = new MeasuringProxy(sidecarUrl);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(sidecarUrl: string) {
    this.#pool = new Pool(sidecarUrl);
    this.#server = createServer((request, response) => {
      // Who gave up waiting, or is not there, breaks off the other side too.
      this.#handOn(request, response).catch(() => response.destroy());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#pool.destroy();
  }

  async #handOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { connection, ...headers } = request.headers;
    if (connection === 'close') response.shouldKeepAlive = false;
    const answer = await this.#pool.request({ method: 'POST', path: request.url ?? '/', headers, body });
    const text = await answer.body.text();
    if (answer.statusCode === 200 && text.includes('"applied"')) this.#keep(body);
    response.writeHead(answer.statusCode, { 'content-type': 'application/json' }).end(text);
  }

  #keep(body: Buffer): void {
    this.largestBytes = Math.max(this.largestBytes, body.length);
    this.batches += 1;
    const { intervals } = JSON.parse(body.toString()) as BatchDocument;
    for (const { startMs, durationMs, deltas } of intervals) {
      const requests = deltas.reduce((sum, delta) => sum + delta.requests, 0);
      this.intervals.push({ startMs, durationMs, requests, receivedMs: Date.now() });
    }
  }
}
