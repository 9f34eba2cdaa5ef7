// From an error of Node or undici to its code, such as ECONNREFUSED: all that is told of one, since its message may name an
// address, which is a secret.

export function errorCodeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // undici 7 gives this one no code: what answers speaks something else.
  return 'name' in error && error.name === 'HTTPParserError' ? 'not HTTP' : 'unknown error';
}
