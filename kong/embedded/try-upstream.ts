// One try at one peer. In: the peer, the request to send, the service's timeouts. Out: the upstream's response as soon
// as its headers are there, or how the try failed: 502 (refused, reset, not HTTP) or 504 (a timeout), as nginx has it.
// After that the response's stream is the caller's. Idle connections are kept and reused, as nginx does.
import * as http from 'node:http';
import * as https from 'node:https';
import type { Peer } from './balancer';
import type { Service } from './kong-entities';
import type { RequestBody } from './read-request-body';

/** What becomes of one try. */
export type TryOutcome =
  | { readonly kind: 'response'; readonly message: http.IncomingMessage }
  | { readonly kind: 'failed'; readonly code: 502 | 504; readonly sent: boolean; readonly malformed: boolean }
  | { readonly kind: 'stopped' };

/** What is sent. */
export interface TryRequest {
  readonly method: string;
  readonly uri: string;
  /** Names and values in turn, without those that frame the body. */
  readonly headers: readonly string[];
  readonly body: RequestBody;
}

/** The connections to upstreams; closed with the gateway. */
export class UpstreamConnections {
  /** 512 idle connections, Kong's default `upstream_keepalive_pool_size`. */
  private readonly httpAgent = new http.Agent({ keepAlive: true, maxFreeSockets: 512 });
  private readonly httpsAgent = new https.Agent({
    keepAlive: true,
    maxFreeSockets: 512,
    // Kong's default: `tls_verify` is off for services.
    rejectUnauthorized: false,
  });

  request(service: Service, options: http.RequestOptions): http.ClientRequest {
    return service.protocol === 'https'
      ? https.request({ ...options, agent: this.httpsAgent })
      : http.request({ ...options, agent: this.httpAgent });
  }

  close(): void {
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
  }
}

/**
 * Makes one try; never fails but by its outcome.
 *
 * @param stop ends the try: the client has gone
 * @param countBody told the size of every chunk of a streamed body
 */
export function tryUpstream(
  connections: UpstreamConnections,
  service: Service,
  peer: Peer,
  request: TryRequest,
  stop: AbortSignal,
  countBody: (bytes: number) => void,
): Promise<TryOutcome> {
  return new Promise((resolve) => {
    let connected = false;
    let timedOut = false;
    let streamed = false;
    const upstream = connections.request(service, {
      host: peer.ip,
      port: peer.port,
      method: request.method,
      path: request.uri,
      headers: headerLists(request.headers, request.body),
      setHost: false,
      signal: stop,
    });
    const giveUp = (): void => {
      timedOut = true;
      upstream.destroy();
    };
    const connectTimer = setTimeout(giveUp, service.connectTimeoutMs);

    const onConnected = (): void => {
      connected = true;
      clearTimeout(connectTimer);
      // Only now: had the connection failed, the body could still go to the next peer.
      if (request.body.kind !== 'streamed' || streamed) return;
      streamed = true;
      upstream.write(request.body.head);
      request.body.rest.on('data', (chunk: Buffer) => countBody(chunk.length));
      request.body.rest.pipe(upstream);
    };
    upstream.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', onConnected);
      else onConnected();
    });
    upstream.setTimeout(service.writeTimeoutMs, giveUp);
    upstream.once('finish', () => upstream.setTimeout(service.readTimeoutMs));
    upstream.once('response', (message) => {
      clearTimeout(connectTimer);
      resolve({ kind: 'response', message });
    });
    // Also comes after 'response', when the body breaks off: the body's reader is told by its own stream.
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(connectTimer);
      if (stop.aborted) resolve({ kind: 'stopped' });
      else {
        const malformed = error.code?.startsWith('HPE_') === true;
        resolve({ kind: 'failed', code: timedOut ? 504 : 502, sent: connected, malformed });
      }
    });
    // After a destroy() without an error there may be no 'error' event.
    upstream.once('close', () => {
      clearTimeout(connectTimer);
      resolve(
        stop.aborted
          ? { kind: 'stopped' }
          : { kind: 'failed', code: timedOut ? 504 : 502, sent: connected, malformed: false },
      );
    });
    if (request.body.kind === 'buffered') upstream.end(request.body.bytes);
    else if (request.body.kind === 'none') upstream.end();
  });
}

/** Node wants repeated headers as lists, and Host as a text; a buffered body gets its length, a streamed one is chunked. */
function headerLists(headers: readonly string[], body: RequestBody): http.OutgoingHttpHeaders {
  const held = new Map<string, { name: string; values: string[] }>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const entry = held.get(name.toLowerCase()) ?? { name, values: [] };
    held.set(name.toLowerCase(), entry);
    entry.values.push(headers[index + 1] ?? '');
  }
  const lists: http.OutgoingHttpHeaders = {};
  for (const { name, values } of held.values()) lists[name] = values.length === 1 ? values[0] : values;
  if (body.kind === 'buffered') lists['Content-Length'] = String(body.bytes.length);
  if (body.kind === 'streamed') lists['Transfer-Encoding'] = 'chunked';
  return lists;
}
