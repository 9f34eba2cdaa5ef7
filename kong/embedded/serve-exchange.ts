// One request from its route to the end of its answer: host check, route, request-termination, balancer, proxy.
// In: the exchange and the client's streams. Out: a filled-in exchange and its plugin instances; never fails.
import type { Balancer } from './balancer';
import { choosePlugins } from './choose-plugins';
import { headerValue, type Exchange } from './exchange';
import { kongError, nginxError, terminationAnswer } from './gateway-answer';
import type { PluginInstance } from './kong-entities';
import type { RouteMatcher } from './match-route';
import { proxyExchange, type ClientStreams } from './proxy-exchange';
import { sendAnswer } from './send-response';
import type { UpstreamConnections } from './try-upstream';
import { joinUpstreamPath } from './upstream-path';

/** What serving needs. */
export interface ServingParts {
  readonly matchRoute: RouteMatcher;
  readonly plugins: readonly PluginInstance[];
  readonly balancer: Balancer;
  readonly connections: UpstreamConnections;
}

/** Answers one request. Gives the plugin instances whose log phase it belongs to. */
export async function serveExchange(
  exchange: Exchange,
  client: ClientStreams,
  parts: ServingParts,
): Promise<readonly PluginInstance[]> {
  const { request } = exchange;
  const accept = headerValue(request.headers, 'accept');
  if (!hasValidHost(exchange, client.request.httpVersion)) {
    const contentType = headerValue(request.headers, 'content-type');
    sendAnswer(exchange, client.response, nginxError(400, exchange.id, accept ?? contentType));
    return choosePlugins(parts.plugins, undefined, undefined);
  }
  const [path, query] = splitUri(request.uri);
  const match = parts.matchRoute({
    method: request.method,
    hostHeader: headerValue(request.headers, 'host') ?? '',
    path,
  });
  if (match === undefined) {
    const message = 'no Route matched with those values';
    sendAnswer(exchange, client.response, kongError(404, message, exchange.id, accept));
    return choosePlugins(parts.plugins, undefined, undefined);
  }
  const { route } = match;
  const service = route.service?.enabled === false ? undefined : route.service;
  exchange.route = route;
  if (service !== undefined) exchange.service = service;
  exchange.tries = [];
  exchange.upstreamUri =
    joinUpstreamPath(service?.path, path, route.stripPath ? match.matchedLength : undefined) + query;
  const plugins = choosePlugins(parts.plugins, route.id, service?.id);

  const termination = plugins.find((plugin) => plugin.name === 'request-termination');
  if (termination !== undefined) {
    sendAnswer(exchange, client.response, terminationAnswer(termination.config));
    return plugins;
  }
  if (service === undefined) {
    const message = 'no Service found with those values';
    sendAnswer(exchange, client.response, kongError(503, message, exchange.id, accept));
    return plugins;
  }
  if (
    client.request.headers.upgrade !== undefined &&
    /\bupgrade\b/i.test(client.request.headers.connection ?? '')
  ) {
    const message = 'upgraded connections are not supported by the embedded gateway';
    sendAnswer(exchange, client.response, kongError(502, message, exchange.id, accept));
    return plugins;
  }
  const choice = await parts.balancer.choose(service);
  if (choice.kind === 'none') {
    sendAnswer(exchange, client.response, kongError(503, choice.message, exchange.id, accept));
    return plugins;
  }
  exchange.accessEndedAtMs = exchange.timeline.nowMs();
  const result = await proxyExchange(exchange, service, choice.next, client, parts.connections);
  if (result.kind === 'unreachable') {
    const contentType = headerValue(request.headers, 'content-type');
    sendAnswer(exchange, client.response, nginxError(result.code, exchange.id, accept ?? contentType));
  } else if (result.kind === 'client-gone') {
    exchange.source = 'upstream';
    exchange.response.status = result.status;
    exchange.response.headers = ['connection', 'close'];
  }
  return plugins;
}

/** nginx refuses a host with white space or a slash, and HTTP/1.1 without one. */
function hasValidHost(exchange: Exchange, httpVersion: string): boolean {
  const host = headerValue(exchange.request.headers, 'host');
  if (host === undefined) return httpVersion !== '1.1';
  return !/[\s/]/.test(host);
}

/** Path and query, the `?` with the query; a URI in absolute form is cut down to its path. */
function splitUri(uri: string): [path: string, query: string] {
  const local = uri.replace(/^https?:\/\/[^/?]*/i, '');
  const start = local.indexOf('?');
  const path = start < 0 ? local : local.slice(0, start);
  return [path === '' ? '/' : path, start < 0 ? '' : local.slice(start)];
}
