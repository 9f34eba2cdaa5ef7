// The listening side: Node's HTTP server, one exchange for each request, and the end of each told once. In: requests.
// Out: `onEnd` with the exchange and its plugin instances, after the client has its answer or is gone.
// What the HTTP parser refuses is answered with 400 and told as well; a connection that only breaks is not a request.
import * as http from 'node:http';
import { Socket } from 'node:net';
import { openExchange, type Exchange } from './exchange';
import { answerHeaders } from './forwarded-headers';
import { kongError, nginxError } from './gateway-answer';
import type { PluginInstance } from './kong-entities';
import { readMalformedRequest } from './malformed-request';
import type { ClientStreams } from './proxy-exchange';
import { sendAnswer } from './send-response';

/** nginx's defaults: 60 s for a request's headers, 75 s for an idle connection. */
const HEADERS_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** Answers one request and gives the plugins of its log phase. */
export type Serve = (exchange: Exchange, client: ClientStreams) => Promise<readonly PluginInstance[]>;

/** What nginx counts of its connections. */
export interface ConnectionCounts {
  accepted: number;
  active: number;
  /** Requests being answered. */
  writing: number;
}

/** The server and what is known of its traffic. */
export interface ProxyListener {
  readonly server: http.Server;
  readonly connections: ConnectionCounts;
  /** Resolves once no request is in progress. */
  readonly idle: () => Promise<void>;
}

/** Makes the server; it does not listen yet. */
export function createProxyListener(
  serve: Serve,
  onEnd: (exchange: Exchange, plugins: readonly PluginInstance[]) => void,
  pluginsWithoutRoute: readonly PluginInstance[],
  log: (line: string) => void,
): ProxyListener {
  const connections: ConnectionCounts = { accepted: 0, active: 0, writing: 0 };
  const served = new WeakMap<Socket, number>();
  const waitingForIdle: (() => void)[] = [];
  const server = http.createServer({ requireHostHeader: false, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS });
  // Uploads may take as long as they take.
  server.requestTimeout = 0;
  server.headersTimeout = HEADERS_TIMEOUT_MS;

  server.on('connection', (socket: Socket) => {
    connections.accepted += 1;
    connections.active += 1;
    socket.once('close', () => {
      connections.active -= 1;
    });
  });

  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const { socket } = request;
    const bytesBefore = socket.bytesWritten;
    served.set(socket, (served.get(socket) ?? 0) + 1);
    connections.writing += 1;
    const exchange = openExchange({
      method: request.method ?? 'GET',
      uri: request.url ?? '/',
      headers: request.rawHeaders,
      clientIp: plainAddress(socket.remoteAddress),
      listenPort: socket.localPort ?? 0,
      headBytes: headBytes(request),
    });
    const gone = new AbortController();
    const closed = new Promise<void>((resolve) => {
      response.once('finish', resolve);
      response.once('close', () => {
        if (!response.writableFinished) gone.abort();
        resolve();
      });
    });
    const end = (plugins: readonly PluginInstance[]): void => {
      exchange.endedAtMs = exchange.timeline.nowMs();
      exchange.response.bytes = socket.bytesWritten - bytesBefore;
      served.set(socket, (served.get(socket) ?? 1) - 1);
      connections.writing -= 1;
      onEnd(exchange, plugins);
      // While the gateway stops, a connection ends with its request.
      if (!server.listening) socket.end();
      if (connections.writing === 0) for (const resolve of waitingForIdle.splice(0)) resolve();
    };
    if (!server.listening) response.shouldKeepAlive = false;
    response.on('error', () => undefined);
    void serve(exchange, { request, response, gone: gone.signal })
      .catch((error: unknown) => {
        // A request that Node itself refuses to send on, for example; Kong's words for what nobody foresaw.
        log(
          `an unexpected error occurred: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
        if (response.headersSent) response.destroy();
        else
          sendAnswer(
            exchange,
            response,
            kongError(500, 'An unexpected error occurred', exchange.id, undefined),
          );
        return pluginsWithoutRoute;
      })
      .then(async (plugins) => {
        await closed;
        end(plugins);
      });
  };
  server.on('request', onRequest);
  server.on('checkExpectation', onRequest);

  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, duplex) => {
    const packet = error.rawPacket;
    const isRequest = error.code?.startsWith('HPE_') === true && packet !== undefined && duplex.writable;
    if (!isRequest || !(duplex instanceof Socket) || (served.get(duplex) ?? 0) > 0) {
      duplex.destroy();
      return;
    }
    refuse(duplex, packet, (exchange) => onEnd(exchange, pluginsWithoutRoute));
  });
  const idle = (): Promise<void> =>
    connections.writing === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          waitingForIdle.push(resolve);
        });
  return { server, connections, idle };
}

function refuse(socket: Socket, packet: Buffer, onEnd: (exchange: Exchange) => void): void {
  const exchange = openExchange(
    readMalformedRequest(packet, plainAddress(socket.remoteAddress), socket.localPort ?? 0),
  );
  const answer = nginxError(400, exchange.id, undefined);
  exchange.headersAtMs = exchange.timeline.nowMs();
  const body = Buffer.from(answer.body);
  const headers = [...answerHeaders(exchange, answer.contentType, body.length), 'Connection', 'close'];
  const lines = [`HTTP/1.1 ${answer.status} Bad Request`];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    lines.push(`${headers[index] ?? ''}: ${headers[index + 1] ?? ''}`);
  }
  const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
  exchange.response.status = answer.status;
  exchange.response.headers = headers;
  exchange.response.bytes = bytes.length;
  socket.end(bytes, () => {
    exchange.endedAtMs = exchange.timeline.nowMs();
    onEnd(exchange);
  });
}

/** The size of the request line and headers as curl and browsers write them: one space after each colon. */
function headBytes(request: http.IncomingMessage): number {
  let bytes =
    Buffer.byteLength(`${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}`) + 4;
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    bytes +=
      Buffer.byteLength(request.rawHeaders[index] ?? '', 'latin1') +
      Buffer.byteLength(request.rawHeaders[index + 1] ?? '', 'latin1') +
      4;
  }
  return bytes;
}

function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=\d+\.)/, '') ?? '';
}
