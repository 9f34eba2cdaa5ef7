// Where the sidecar takes batches: an http or https address, with a path before ours if need be, or a unix socket.

export interface SidecarAddress {
  /** As it was configured, to name it in messages; a password in it is taken out. */
  readonly text: string;
  readonly origin: string;
  /** Before BATCH_PATH; empty or beginning with a slash. */
  readonly basePath: string;
  readonly socketPath: string | undefined;
}

/** @throws Error naming what was expected and what was found */
export function readSidecarAddress(value: unknown): SidecarAddress {
  if (typeof value === 'string' && /^unix:\/\S+$/.test(value)) {
    return { text: value, origin: 'http://localhost', basePath: '', socketPath: value.slice('unix:'.length) };
  }
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Error(
      'gatewatch: sidecar_url: expected http://host:port, https://host:port or unix:/path, ' +
        `found ${JSON.stringify(value)}`,
    );
  }
  const basePath = url.pathname.replace(/\/+$/, '');
  return { text: `${url.origin}${basePath}`, origin: url.origin, basePath, socketPath: undefined };
}
