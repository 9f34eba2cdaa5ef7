// In: the routes, and a request's method, host and path. Out: the route that Kong would choose, and how much of the
// path its match covers. Order: more kinds of condition (hosts, methods, paths) first, then a plain host before one
// with a wildcard, then a regular expression (by regex_priority) before a prefix, then the longer path, then the file's
// order. A prefix is plain text: `/u` matches `/users`. Paths are compared as sent, without Kong's normalisation.
import type { Route } from './kong-entities';

/** What a request is matched by. */
export interface RouteQuery {
  readonly method: string;
  /** The host header as sent, port included; empty where there is none. */
  readonly hostHeader: string;
  /** Without the query. */
  readonly path: string;
}

/** The chosen route. */
export interface RouteMatch {
  readonly route: Route;
  /** How many characters of the path belong to the match: what strip_path takes away. */
  readonly matchedLength: number;
}

export type RouteMatcher = (query: RouteQuery) => RouteMatch | undefined;

interface Candidate {
  readonly route: Route;
  readonly kinds: number;
  readonly host?: { readonly text: string; readonly wildcard: boolean; readonly withPort: boolean };
  readonly regex?: RegExp;
  readonly prefix?: string;
}

/** Prepares the routes once; routes whose protocols lack `http` never match, since only http is served. */
export function createRouteMatcher(routes: readonly Route[]): RouteMatcher {
  const candidates = routes.filter((route) => route.protocols.includes('http')).flatMap(expand);
  // Array.prototype.sort is stable: what compares equal stays in the file's order.
  candidates.sort(
    (a, b) =>
      b.kinds - a.kinds ||
      Number(a.host?.wildcard ?? false) - Number(b.host?.wildcard ?? false) ||
      Number(b.regex !== undefined) - Number(a.regex !== undefined) ||
      (a.regex !== undefined && b.regex !== undefined ? b.route.regexPriority - a.route.regexPriority : 0) ||
      (b.prefix?.length ?? -1) - (a.prefix?.length ?? -1),
  );
  return (query) => {
    for (const candidate of candidates) {
      const matchedLength = match(candidate, query);
      if (matchedLength !== undefined) return { route: candidate.route, matchedLength };
    }
    return undefined;
  };
}

function expand(route: Route): Candidate[] {
  const kinds = [route.hosts, route.methods, route.paths].filter(
    (condition) => condition !== undefined,
  ).length;
  const hosts = route.hosts?.map((text) => ({
    text: text.toLowerCase(),
    wildcard: text.includes('*'),
    withPort: /:\d+$/.test(text),
  })) ?? [undefined];
  return hosts.flatMap((host) =>
    (route.paths ?? [undefined]).map((path) => ({
      route,
      kinds,
      ...(host === undefined ? {} : { host }),
      ...pathCondition(path),
    })),
  );
}

function pathCondition(path: string | undefined): { readonly regex?: RegExp; readonly prefix?: string } {
  if (path === undefined) return {};
  return path.startsWith('~') ? { regex: new RegExp(`^(?:${path.slice(1)})`) } : { prefix: path };
}

function match(candidate: Candidate, query: RouteQuery): number | undefined {
  const { route, host, regex, prefix } = candidate;
  if (route.methods !== undefined && !route.methods.includes(query.method)) return undefined;
  if (host !== undefined && !hostMatches(host, query.hostHeader.toLowerCase())) return undefined;
  if (regex !== undefined) return regex.exec(query.path)?.[0].length;
  if (prefix !== undefined) return query.path.startsWith(prefix) ? prefix.length : undefined;
  return 0;
}

function hostMatches(condition: NonNullable<Candidate['host']>, header: string): boolean {
  const host = condition.withPort ? header : header.replace(/:\d+$/, '');
  if (!condition.wildcard) return host === condition.text;
  return condition.text.startsWith('*')
    ? host.endsWith(condition.text.slice(1)) && host.length > condition.text.length - 1
    : host.startsWith(condition.text.slice(0, -1)) && host.length > condition.text.length - 1;
}
