// From a routed request to its upstream's answer: the body, the tries, then the response streamed to the client.
// In: the exchange, the client's streams, the peers. Out: what is left to be answered by the gateway itself, or nothing.
// As in nginx: a failed try is repeated up to `retries` times, but a POST, LOCK or PATCH not once it was sent, nor a
// response that is not HTTP. Websocket upgrades are not supported: they are answered with 502 before any try.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { Peer } from './balancer';
import type { Exchange, UpstreamTry } from './exchange';
import { requestHeadersFor, responseHeadersFor } from './forwarded-headers';
import type { Service } from './kong-entities';
import { BODY_BUFFER_LIMIT_BYTES, readRequestBody, type RequestBody } from './read-request-body';
import { sendHead } from './send-response';
import { tryUpstream, type UpstreamConnections } from './try-upstream';

const NOT_REPEATED_ONCE_SENT = new Set(['POST', 'LOCK', 'PATCH']);

/** How proxying ended. */
export type ProxyResult =
  /** The response was sent, or broke off while it was. */
  | { readonly kind: 'done' }
  /** Every try failed; nothing was sent. */
  | { readonly kind: 'unreachable'; readonly code: 502 | 504 }
  /** The client left before an answer: 400 while it was sending its body, 499 later. */
  | { readonly kind: 'client-gone'; readonly status: 400 | 499 };

/** What belongs to one client's request. */
export interface ClientStreams {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted when the client's connection closes before the response is complete. */
  readonly gone: AbortSignal;
}

/** Never fails. Sets the exchange's tries and times; `accessEndedAtMs` must be set. */
export async function proxyExchange(
  exchange: Exchange,
  service: Service,
  nextPeer: () => Peer,
  client: ClientStreams,
  connections: UpstreamConnections,
): Promise<ProxyResult> {
  const limitBytes = exchange.route?.requestBuffering === false ? -1 : BODY_BUFFER_LIMIT_BYTES;
  const body = await readRequestBody(client.request, limitBytes, (bytes) => {
    exchange.requestBodyBytes += bytes;
  });
  if (body.kind === 'aborted') return { kind: 'client-gone', status: 400 };

  const tries = (exchange.tries ??= []);
  for (;;) {
    const { entry, peer } = startTry(exchange, nextPeer);
    tries.push(entry);
    const outcome = await tryUpstream(
      connections,
      service,
      peer,
      {
        method: exchange.request.method,
        uri: exchange.upstreamUri,
        headers: requestHeadersFor(exchange, peer.hostHeader),
        body,
      },
      client.gone,
      (bytes) => {
        exchange.requestBodyBytes += bytes;
      },
    );
    if (outcome.kind === 'stopped') return { kind: 'client-gone', status: 499 };
    if (outcome.kind === 'response') {
      await relayResponse(exchange, entry, outcome.message, client);
      return { kind: 'done' };
    }
    entry.failureCode = outcome.code;
    const again =
      tries.length <= service.retries &&
      !outcome.malformed &&
      !(outcome.sent && isSentOnce(exchange.request.method, body));
    if (!again) return { kind: 'unreachable', code: outcome.code };
  }
}

function isSentOnce(method: string, body: RequestBody): boolean {
  return NOT_REPEATED_ONCE_SENT.has(method) || body.kind === 'streamed';
}

function startTry(exchange: Exchange, nextPeer: () => Peer): { entry: UpstreamTry; peer: Peer } {
  const balancerStartedAtMs = exchange.timeline.nowMs();
  const peer = nextPeer();
  const balancerLatencyMs = exchange.timeline.nowMs() - balancerStartedAtMs;
  return { entry: { ip: peer.ip, port: peer.port, balancerStartedAtMs, balancerLatencyMs }, peer };
}

function relayResponse(
  exchange: Exchange,
  entry: UpstreamTry,
  message: IncomingMessage,
  client: ClientStreams,
): Promise<void> {
  const status = message.statusCode ?? 502;
  entry.upstreamStatus = status;
  exchange.source = 'upstream';
  exchange.headersAtMs = exchange.timeline.nowMs();
  sendHead(
    exchange,
    client.response,
    status,
    message.statusMessage,
    responseHeadersFor(exchange, message.rawHeaders),
  );
  return new Promise((resolve) => {
    // A body that breaks off destroys the client's connection: there is no other way to say that it is incomplete.
    pipeline(message, client.response, (error) => {
      if (!error) exchange.bodyEndedAtMs = exchange.timeline.nowMs();
      resolve();
    });
  });
}
