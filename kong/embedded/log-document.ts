// In: a finished exchange. Out: what `kong.log.serialize()` of Kong 3.9 gives for it: the same fields, absent where Kong
// leaves them absent (see the recordings). `authorization` and `proxy-authorization` are redacted, nothing else. Pure.
import { DEFAULT_WORKSPACE_ID } from './entity-id';
import { headerValue, type Exchange, type RawHeaders, type UpstreamTry } from './exchange';
import type { Route, Service } from './kong-entities';
import { computeLatencies, type Latencies } from './latencies';
import { groupHeaders, parseQuery, redactCredentials } from './group-values';

const NS_PER_MS = 1_000_000;

/** As much of the document as this gateway itself reads again, for its metrics. */
export interface LogDocument {
  readonly latencies: Latencies;
  readonly request: { readonly size: number };
  readonly response: { readonly status: number; readonly size: number };
  readonly source: string;
}

/** Builds the document; the exchange must have ended. */
export function buildLogDocument(exchange: Exchange): LogDocument {
  const { request, response, timeline } = exchange;
  const endedAtMs = exchange.endedAtMs ?? timeline.nowMs();
  const host = hostOf(request.headers);
  return {
    latencies: computeLatencies({
      startedAtMs: timeline.startedAtMs,
      tries: exchange.tries ?? [],
      endedAtMs,
      ...(exchange.accessEndedAtMs === undefined ? {} : { accessEndedAtMs: exchange.accessEndedAtMs }),
      ...(exchange.headersAtMs === undefined ? {} : { headersAtMs: exchange.headersAtMs }),
      ...(exchange.bodyEndedAtMs === undefined ? {} : { bodyEndedAtMs: exchange.bodyEndedAtMs }),
    }),
    request: {
      id: exchange.id,
      method: request.method,
      uri: request.uri,
      url: `http://${host}:${request.listenPort}${request.uri}`,
      querystring: parseQuery(request.uri),
      headers: redactCredentials(groupHeaders(request.headers)),
      size: request.headBytes + exchange.requestBodyBytes,
    },
    response: { status: response.status, size: response.bytes, headers: groupHeaders(response.headers) },
    source: exchange.source,
    upstream_uri: exchange.upstreamUri,
    upstream_status: upstreamStatus(exchange.tries ?? []),
    client_ip: request.clientIp,
    started_at: timeline.startedAtMs,
    workspace: DEFAULT_WORKSPACE_ID,
    workspace_name: 'default',
    ...(exchange.tries === undefined ? {} : { tries: exchange.tries.map(tryRecord) }),
    ...(exchange.route === undefined ? {} : { route: routeRecord(exchange.route) }),
    ...(exchange.service === undefined ? {} : { service: serviceRecord(exchange.service) }),
  } as LogDocument;
}

function tryRecord(entry: UpstreamTry): object {
  const endedAtMs = entry.balancerStartedAtMs + entry.balancerLatencyMs;
  return {
    ip: entry.ip,
    port: entry.port,
    balancer_start: Math.floor(entry.balancerStartedAtMs),
    balancer_start_ns: Math.round(entry.balancerStartedAtMs * NS_PER_MS),
    balancer_latency: Math.floor(endedAtMs) - Math.floor(entry.balancerStartedAtMs),
    balancer_latency_ns: Math.round(entry.balancerLatencyMs * NS_PER_MS),
    ...(entry.failureCode === undefined ? {} : { state: 'failed', code: entry.failureCode }),
  };
}

/** nginx's `$upstream_status`: one entry for each try, `-` where it neither answered nor failed. */
function upstreamStatus(tries: readonly UpstreamTry[]): string {
  return tries.map((entry) => String(entry.failureCode ?? entry.upstreamStatus ?? '-')).join(', ');
}

function routeRecord(route: Route): object {
  return {
    id: route.id,
    ...(route.name === undefined ? {} : { name: route.name }),
    ...(route.paths === undefined ? {} : { paths: route.paths }),
    ...(route.hosts === undefined ? {} : { hosts: route.hosts }),
    ...(route.methods === undefined ? {} : { methods: route.methods }),
    protocols: route.protocols,
    strip_path: route.stripPath,
    preserve_host: route.preserveHost,
    request_buffering: route.requestBuffering,
    response_buffering: route.responseBuffering,
    regex_priority: route.regexPriority,
    path_handling: route.pathHandling,
    https_redirect_status_code: route.httpsRedirectStatusCode,
    ...(route.tags === undefined ? {} : { tags: route.tags }),
    ...(route.service === undefined ? {} : { service: { id: route.service.id } }),
    ws_id: DEFAULT_WORKSPACE_ID,
    created_at: route.createdAtS,
    updated_at: route.createdAtS,
  };
}

function serviceRecord(service: Service): object {
  return {
    id: service.id,
    ...(service.name === undefined ? {} : { name: service.name }),
    protocol: service.protocol,
    host: service.host,
    port: service.port,
    ...(service.path === undefined ? {} : { path: service.path }),
    retries: service.retries,
    connect_timeout: service.connectTimeoutMs,
    read_timeout: service.readTimeoutMs,
    write_timeout: service.writeTimeoutMs,
    enabled: service.enabled,
    ...(service.tags === undefined ? {} : { tags: service.tags }),
    ws_id: DEFAULT_WORKSPACE_ID,
    created_at: service.createdAtS,
    updated_at: service.createdAtS,
  };
}

/** nginx's `$host`: lower case, without a port; `kong` (the server's name) where there is none or it is not valid. */
function hostOf(headers: RawHeaders): string {
  const host = headerValue(headers, 'host')?.toLowerCase().replace(/:\d*$/, '') ?? '';
  return host === '' || /[\s/]/.test(host) ? 'kong' : host;
}
