// In: a service's path, a request's path and how much of it the route matched. Out: the path that the upstream is
// asked for, as Kong's path_handling v0 joins them: one slash between, none doubled, none lost at the end. Pure.

/**
 * Joins the paths.
 *
 * @param servicePath begins with `/`, or is absent, which means `/`
 * @param matchedLength characters that strip_path takes away; undefined where nothing is stripped
 */
export function joinUpstreamPath(
  servicePath: string | undefined,
  requestPath: string,
  matchedLength: number | undefined,
): string {
  const base = servicePath ?? '/';
  if (matchedLength === undefined) return `${base.replace(/\/$/, '')}${requestPath}`;
  const rest = requestPath.slice(matchedLength);
  if (rest !== '') return `${base.replace(/\/$/, '')}/${rest.replace(/^\//, '')}`;
  if (base === '/') return '/';
  const bare = base.replace(/\/$/, '');
  return requestPath.length > 1 && requestPath.endsWith('/') ? `${bare}/` : bare;
}
