// From an error of Node or undici to its code, such as ECONNREFUSED: all that is told of one, since its message may name an
// address, which is a secret.

export function errorCodeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
