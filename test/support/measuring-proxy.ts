// Stands between a plugin server and the sidecar, hands everything on as it is, and keeps what the batches were that got through.
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BatchDocument } from '../../kong-plugin/contract/batch';

export interface MeasuredInterval {
  readonly startMs: number;
  readonly durationMs: number;
  readonly requests: number;
}

export class MeasuringProxy {
  largestBytes = 0;
  batches = 0;
  readonly intervals: MeasuredInterval[] = [];
  readonly #server: Server;

  static async start(sidecarUrl: string): Promise<MeasuringProxy> {
    const proxy = new MeasuringProxy(sidecarUrl);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(sidecarUrl: string) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const { method, headers } = request;
        const onward = send(new URL(request.url ?? '', sidecarUrl), { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
          if (answer.statusCode === 200) this.#keep(body);
        });
        response.on('close', () => onward.destroy());
        onward.on('error', () => response.destroy()).end(body);
      });
    });
  }

  #keep(body: Buffer): void {
    this.largestBytes = Math.max(this.largestBytes, body.length);
    this.batches += 1;
    const { intervals } = JSON.parse(body.toString()) as BatchDocument;
    for (const { startMs, durationMs, deltas } of intervals) {
      const requests = deltas.reduce((sum, delta) => sum + delta.requests, 0);
      this.intervals.push({ startMs, durationMs, requests });
    }
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
