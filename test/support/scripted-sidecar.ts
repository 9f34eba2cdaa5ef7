// Stands where the sidecar would, and answers batches as the test tells it; a receipt if it was told nothing.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { BatchDocument } from '../../kong-plugin/contract/batch';
import { closeServer, loopbackUrl } from './loopback-server';

export type SidecarScript =
  | 'receipt'
  | 'receipt of another batch'
  | 'drop'
  | 'hang'
  | { status: number; body?: string; headers?: Record<string, string> };

export interface ReceivedBatch {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly document: BatchDocument;
}

export class ScriptedSidecar {
  readonly received: ReceivedBatch[] = [];
  /** Those that got a receipt. */
  readonly taken: BatchDocument[] = [];
  otherwise: SidecarScript = 'receipt';
  connections = 0;
  mostInFlight = 0;
  readonly #server: Server;
  readonly #script: SidecarScript[] = [];
  #inFlight = 0;
  #waiting: { isSo: () => boolean; tell: () => void }[] = [];

  /** @param address a port of 127.0.0.1 (0: any) or a socket's path */
  static async start(address: number | string = 0): Promise<ScriptedSidecar> {
    const sidecar = new ScriptedSidecar();
    await new Promise<void>((resolve) => {
      if (typeof address === 'string') sidecar.#server.listen(address, resolve);
      else sidecar.#server.listen(address, '127.0.0.1', resolve);
    });
    return sidecar;
  }

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('connection', () => (this.connections += 1));
    // Otherwise it would end a connection on which nothing came for five seconds, maybe just when something comes.
    this.#server.keepAliveTimeout = 0;
  }

  get url(): string {
    return loopbackUrl(this.#server);
  }

  answer(...script: SidecarScript[]): void {
    this.#script.push(...script);
  }

  /** Settles once it is so; asked again after every batch. */
  until(isSo: () => boolean): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((tell) => this.#waiting.push({ isSo, tell }));
  }

  /** Requests in the batches that got a receipt. */
  get requests(): number {
    return this.taken
      .flatMap(({ intervals }) => intervals.flatMap(({ deltas }) => deltas))
      .reduce((sum, { requests }) => sum + requests, 0);
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    response.once('close', () => (this.#inFlight -= 1));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const document = JSON.parse(bytes.toString()) as BatchDocument;
    this.received.push({ path: request.url ?? '', headers: request.headers, bytes, document });
    this.#play(this.#script.shift() ?? this.otherwise, document, response);
    this.#waiting = this.#waiting.filter(({ isSo, tell }) => {
      if (!isSo()) return true;
      tell();
      return false;
    });
  }

  #play(script: SidecarScript, { producer, sequence }: BatchDocument, response: ServerResponse): void {
    if (script === 'hang') return;
    if (script === 'drop') {
      response.socket?.resetAndDestroy();
    } else if (script === 'receipt') {
      const last = this.received.at(-1)?.document;
      if (last) this.taken.push(last);
      response.end(JSON.stringify({ producer, sequence, result: 'applied' }));
    } else if (script === 'receipt of another batch') {
      response.end(JSON.stringify({ producer, sequence: sequence + 1, result: 'applied' }));
    } else {
      response.writeHead(script.status, script.headers).end(script.body);
    }
  }
}
