// Writes an answer's head, and whole answers of the gateway's own. In: the exchange, status, headers. Out: bytes to the
// client; the exchange holds what was sent. The connection's fate stands in the headers, so that the log shows it.
import type { ServerResponse } from 'node:http';
import { headerValue, type Exchange } from './exchange';
import { answerHeaders } from './forwarded-headers';
import type { GatewayAnswer } from './gateway-answer';

/** Sends the head. Adds `Connection`, and `Transfer-Encoding: chunked` where a body follows without a length. */
export function sendHead(
  exchange: Exchange,
  response: ServerResponse,
  status: number,
  statusMessage: string | undefined,
  headers: readonly string[],
): void {
  const sent = [...headers, 'Connection', response.shouldKeepAlive ? 'keep-alive' : 'close'];
  const bodyless = exchange.request.method === 'HEAD' || status === 204 || status === 304;
  const modern = response.req.httpVersionMajor === 1 && response.req.httpVersionMinor >= 1;
  if (!bodyless && modern && headerValue(headers, 'content-length') === undefined) {
    sent.push('Transfer-Encoding', 'chunked');
  }
  exchange.response.status = status;
  exchange.response.headers = sent;
  response.sendDate = false;
  if (statusMessage === undefined) response.writeHead(status, sent);
  else response.writeHead(status, statusMessage, sent);
}

/** Sends a whole answer of the gateway's own; `headersAtMs` and `bodyEndedAtMs` are set to now. */
export function sendAnswer(exchange: Exchange, response: ServerResponse, answer: GatewayAnswer): void {
  exchange.source = 'kong';
  exchange.headersAtMs = exchange.timeline.nowMs();
  const bytes = Buffer.from(answer.body);
  sendHead(
    exchange,
    response,
    answer.status,
    undefined,
    answerHeaders(exchange, answer.contentType, bytes.length),
  );
  response.end(bytes);
  exchange.bodyEndedAtMs = exchange.timeline.nowMs();
}
