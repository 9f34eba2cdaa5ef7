// In: the headers of a request or of an upstream's response, and the exchange. Out: those that go on to the other
// side: hop-by-hop ones left out (RFC 9110, 7.6.1), Kong's own added. Names keep their case, order and repetitions.
import type { Exchange, RawHeaders } from './exchange';
import { headerValue } from './exchange';
import { computeLatencies } from './latencies';

/** How this gateway names itself where Kong says `kong/3.9.3`. */
export const GATEWAY_NAME = 'gatewatch-embedded';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** For the upstream; what frames the body is left to the caller. */
export function requestHeadersFor(exchange: Exchange, hostHeader: string): string[] {
  const { request, route } = exchange;
  const clientHost = headerValue(request.headers, 'host') ?? '';
  const forwardedFor = [headerValue(request.headers, 'x-forwarded-for'), request.clientIp].filter(
    (part) => part !== undefined && part !== '',
  );
  const own: [string, string][] = [
    ['Host', route?.preserveHost === true && clientHost !== '' ? clientHost : hostHeader],
    ['X-Forwarded-For', forwardedFor.join(', ')],
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Host', clientHost.replace(/:\d+$/, '')],
    ['X-Forwarded-Port', String(request.listenPort)],
    ['X-Forwarded-Path', pathOf(request.uri)],
    ['X-Real-IP', request.clientIp],
    ['X-Kong-Request-Id', exchange.id],
    ['Via', `1.1 ${GATEWAY_NAME}`],
  ];
  const replaced = new Set([...own.map(([name]) => name.toLowerCase()), 'content-length', 'expect']);
  return [...endToEnd(request.headers, replaced), ...own.flat()];
}

/** For the client, of an upstream's answer. */
export function responseHeadersFor(exchange: Exchange, upstream: RawHeaders): string[] {
  const headers = endToEnd(upstream, new Set());
  if (headerValue(headers, 'server') === undefined) headers.push('Server', GATEWAY_NAME);
  if (headerValue(headers, 'date') === undefined) headers.push('Date', new Date().toUTCString());
  return [...headers, ...latencyHeaders(exchange)];
}

/** For the client, of an answer of the gateway's own; as recorded there is no Date among them. */
export function answerHeaders(exchange: Exchange, contentType: string, bodyBytes: number): string[] {
  return [
    'Content-Type',
    contentType,
    'Content-Length',
    String(bodyBytes),
    'Server',
    GATEWAY_NAME,
    ...latencyHeaders(exchange),
  ];
}

/** Kong's X-Kong-* headers; the exchange's `headersAtMs` must be set. */
function latencyHeaders(exchange: Exchange): string[] {
  const { proxy, kong } = computeLatencies({
    startedAtMs: exchange.timeline.startedAtMs,
    tries: exchange.tries ?? [],
    endedAtMs: exchange.timeline.nowMs(),
    ...(exchange.accessEndedAtMs === undefined ? {} : { accessEndedAtMs: exchange.accessEndedAtMs }),
    ...(exchange.headersAtMs === undefined ? {} : { headersAtMs: exchange.headersAtMs }),
  });
  const id = ['X-Kong-Request-Id', exchange.id];
  if (exchange.accessEndedAtMs === undefined) return ['X-Kong-Response-Latency', String(kong), ...id];
  return [
    'Via',
    `1.1 ${GATEWAY_NAME}`,
    'X-Kong-Upstream-Latency',
    String(proxy),
    'X-Kong-Proxy-Latency',
    String(kong),
    ...id,
  ];
}

function endToEnd(headers: RawHeaders, without: ReadonlySet<string>): string[] {
  const listed = new Set(
    (headerValue(headers, 'connection') ?? '').split(',').map((name) => name.trim().toLowerCase()),
  );
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || listed.has(key) || without.has(key)) continue;
    kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}

function pathOf(uri: string): string {
  const query = uri.indexOf('?');
  return query < 0 ? uri : uri.slice(0, query);
}
