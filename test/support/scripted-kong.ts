// A status API on 127.0.0.1 that answers each of its two questions as the test says, at first as a Kong 3.9 does.
import { createServer, type RequestListener, type Server } from 'node:http';
import { closeServer, listenOnLoopback, loopbackUrl } from './loopback-server';

/** What Kong 3.9.3 answers to GET /status, DB-less and without the lists of Lua memory. */
export function statusText(totalRequests = 6): string {
  return JSON.stringify({
    database: { reachable: true },
    memory: { workers_lua_vms: [], lua_shared_dicts: {} },
    server: { connections_active: 2, connections_accepted: 9, total_requests: totalRequests },
    configuration_hash: '9ea3a43a7c1e4bd8b1e6c8b5bd6d0d3c',
  });
}

export class ScriptedKong {
  status: RequestListener = (_request, response) => void response.end(statusText());
  metrics: RequestListener = (_request, response) => void response.end('kong_datastore_reachable 1\n');
  readonly asked: string[] = [];
  readonly #server: Server;

  static async start(): Promise<ScriptedKong> {
    const kong = new ScriptedKong();
    await listenOnLoopback(kong.#server);
    return kong;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      const { method = '', url = '' } = request;
      this.asked.push(`${method} ${url}`);
      if (url.endsWith('/status')) this.status(request, response);
      else if (url.endsWith('/metrics')) this.metrics(request, response);
      else response.writeHead(404).end('{"message":"Not found"}');
    });
  }

  get url(): string {
    return loopbackUrl(this.#server);
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }
}
