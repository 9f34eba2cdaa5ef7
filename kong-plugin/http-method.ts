// From the word that a client sent to a method that may stand in a name: one of those that are defined, or OTHER.

/** RFC 9110, section 9, and PATCH of RFC 5789. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** Upper and lower case are one; `undefined` is OTHER. */
export function knownMethod(text: string | undefined): string {
  const method = text?.toUpperCase() ?? '';
  return METHODS.has(method) ? method : 'OTHER';
}
