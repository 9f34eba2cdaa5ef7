// In: a host and the first of six ports. Out: five HTTP servers that behave as kong.yml says of them, and how many
// requests each was asked. The fourth port is left without a listener on purpose: it refuses.
// Every behaviour depends only on the number of the request, so that a test knows what to expect.
// `GET /__served` on any of them answers the counts as JSON and is not counted itself.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** The demo services in the order of their ports. */
export const UPSTREAM_NAMES = ['fast', 'slow', 'flaky', 'refusing', 'timing-out', 'pooled'] as const;

/** One of the demo services. */
export type UpstreamName = (typeof UPSTREAM_NAMES)[number];

/** Requests asked of each service since its start; a try that Kong repeats counts again. */
export type ServedCounts = Record<UpstreamName, number>;

/** Running upstreams. */
export interface DemoUpstreams {
  readonly served: Readonly<ServedCounts>;
  /** Ends every listener and every open connection; the timing-out requests are broken off. */
  close(): Promise<void>;
}

/** What a service does with its n-th request, n from 1; a status of 0 means that it never answers. */
export function planAnswer(name: UpstreamName, n: number): { status: number; delayMs: number } {
  switch (name) {
    case 'slow':
      // 137 and 501 have no common divisor: 501 requests take each whole millisecond from 400 to 900 once.
      return { status: 200, delayMs: 400 + ((n * 137) % 501) };
    case 'flaky':
      return { status: n % 10 === 3 ? 500 : n % 10 === 7 ? 422 : 200, delayMs: 5 };
    case 'timing-out':
      return { status: 0, delayMs: 0 };
    case 'fast':
    case 'pooled':
    case 'refusing':
      return { status: 200, delayMs: 0 };
  }
}

/**
 * Starts the five servers.
 *
 * @param basePort port of `fast`; the others follow in the order of `UPSTREAM_NAMES`
 * @throws the listener's error if a port is taken
 */
export async function startDemoUpstreams(host: string, basePort: number): Promise<DemoUpstreams> {
  const served: ServedCounts = { fast: 0, slow: 0, flaky: 0, refusing: 0, 'timing-out': 0, pooled: 0 };
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  try {
    for (const [index, name] of UPSTREAM_NAMES.entries()) {
      if (name === 'refusing') continue;
      const server = createServer((request, response) => void answer(name, served, request, response));
      servers.push(server);
      await listen(server, host, basePort + index);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { served, close };
}

async function answer(
  name: UpstreamName,
  served: ServedCounts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  if (request.url === '/__served') {
    sendJson(response, 200, served);
    return;
  }
  served[name] += 1;
  const { status, delayMs } = planAnswer(name, served[name]);
  if (status === 0) return;
  if (delayMs > 0) await delay(delayMs, undefined, { ref: false });
  sendJson(response, status, { service: name, status, request: served[name] });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
