// Kong's status API, read only: GET /status (Kong's shape, with this gateway's own counters beside it under
// `gatewatch_embedded`) and GET /metrics. In: what the gateway knows. Out: an HTTP server that does not listen yet.
import * as http from 'node:http';
import { GATEWAY_NAME } from './forwarded-headers';
import type { GatewayCounters } from './gateway-counters';
import type { ConnectionCounts } from './proxy-listener';

/** What the status API tells. */
export interface StatusSource {
  readonly configurationHash: string;
  readonly counters: GatewayCounters;
  readonly connections: ConnectionCounts;
  readonly metricsContentType: string;
  readonly renderMetrics: () => Promise<string>;
}

/** Makes the server. */
export function createStatusApi(source: StatusSource): http.Server {
  return http.createServer((request, response) => {
    const path = (request.url ?? '/').replace(/\?.*$/, '');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(
        response,
        405,
        'application/json; charset=utf-8',
        JSON.stringify({ message: 'Method not allowed' }),
      );
    } else if (path === '/status') {
      send(response, 200, 'application/json; charset=utf-8', JSON.stringify(statusDocument(source)));
    } else if (path === '/metrics') {
      source.renderMetrics().then(
        (text) => send(response, 200, source.metricsContentType, text),
        (error: unknown) => send(response, 500, 'text/plain; charset=utf-8', `${String(error)}\n`),
      );
    } else {
      send(response, 404, 'application/json; charset=utf-8', JSON.stringify({ message: 'Not found' }));
    }
  });
}

function send(response: http.ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, Server: GATEWAY_NAME });
  response.end(body);
}

/** Without Lua there is no Lua memory: the lists that Kong has are empty here. */
function statusDocument({ configurationHash, counters, connections }: StatusSource): object {
  return {
    database: { reachable: true },
    memory: { workers_lua_vms: [], lua_shared_dicts: {} },
    server: {
      connections_accepted: connections.accepted,
      connections_active: connections.active,
      connections_handled: connections.accepted,
      connections_reading: 0,
      connections_waiting: Math.max(0, connections.active - connections.writing),
      connections_writing: connections.writing,
      total_requests: counters.requestsServed,
    },
    configuration_hash: configurationHash,
    gatewatch_embedded: counters,
  };
}
