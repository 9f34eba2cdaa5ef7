// Stands between a plugin server and the sidecar, hands everything on as it is, and keeps the size of the largest batch.
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class MeasuringProxy {
  largestBytes = 0;
  batches = 0;
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
        this.largestBytes = Math.max(this.largestBytes, body.length);
        this.batches += 1;
        const { method, headers } = request;
        const onward = send(new URL(request.url ?? '', sidecarUrl), { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        response.on('close', () => onward.destroy());
        onward.on('error', () => response.destroy()).end(body);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
