// Where the sidecar takes batches: an http or https address, with a path before ours if need be, or a unix socket.
// What is refused is never shown, and an address that could carry a secret is refused: Kong writes the message into its log.

export interface SidecarAddress {
  /** To name it in messages, and to tell it from others. */
  readonly text: string;
  readonly origin: string;
  /** Before BATCH_PATH; empty or beginning with a slash. */
  readonly basePath: string;
  readonly socketPath: string | undefined;
}

/** `unix://name` would be a host, with a user before it perhaps. */
const SOCKET = /^unix:\/(?!\/[^/])\S+$/;

/** @throws Error saying what was expected */
export function readSidecarAddress(value: unknown): SidecarAddress {
  if (typeof value === 'string' && SOCKET.test(value)) {
    return { text: value, origin: 'http://localhost', basePath: '', socketPath: value.slice('unix:'.length) };
  }
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw refusal('expected http://host:port, https://host:port or unix:/path, found something else');
  }
  if (url.username !== '' || url.password !== '') {
    throw refusal('expected no user and no password in it: the sidecar asks for a token, see sidecar_token');
  }
  if (url.search !== '' || url.hash !== '') {
    throw refusal('expected nothing after the path, found a ? or a #: batches are sent without it');
  }
  const basePath = url.pathname.replace(/\/+$/, '');
  return { text: `${url.origin}${basePath}`, origin: url.origin, basePath, socketPath: undefined };
}

function refusal(message: string): Error {
  return new Error(`gatewatch: sidecar_url: ${message}`);
}
