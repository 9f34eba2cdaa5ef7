// Where to listen, as it is written in the configuration: `127.0.0.1:9765`, `[::1]:9765` or `unix:/path`.
import { isIPv4, isIPv6 } from 'node:net';
import type { ListenAddress } from './config';
import { isLoopbackHost } from './loopback-host';

/** What Linux takes as the path of a socket, in bytes. */
const MAX_SOCKET_PATH_BYTES = 107;

const HOST_NAME =
  /^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)*$/;

/** `undefined` for a text that is no address. Port 0 lets the system choose. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    const fits = /^\/[^\0]*[^/\0]$/.test(path) && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
    return fits ? { kind: 'unix', path } : undefined;
  }
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const [, ipv6, name, portText] = match ?? [];
  const port = Number(portText);
  const host = ipv6 ?? name;
  if (host === undefined || port > 65_535) return undefined;
  return (ipv6 === undefined ? isIPv4OrName(host) : isIPv6(host)) ? { kind: 'tcp', host, port } : undefined;
}

function isIPv4OrName(host: string): boolean {
  return /^[\d.]+$/.test(host) ? isIPv4(host) : HOST_NAME.test(host);
}

/** Whether only programs of this machine can reach it. */
export function isLocalOnly(address: ListenAddress): boolean {
  return address.kind === 'unix' || isLoopbackHost(address.host);
}
