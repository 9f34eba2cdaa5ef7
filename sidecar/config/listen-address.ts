// Where to listen, as it is written in the configuration: `127.0.0.1:9765`, `[::1]:9765` or `unix:/path`.
import { isIPv4, isIPv6 } from 'node:net';
import type { ListenAddress } from './config';

/** `undefined` for a text that is no address. Port 0 lets the system choose. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return path.startsWith('/') ? { kind: 'unix', path } : undefined;
  }
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const [, ipv6, name, portText] = match ?? [];
  const port = Number(portText);
  const host = ipv6 ?? name;
  if (host === undefined || port > 65_535 || (ipv6 !== undefined && !isIPv6(ipv6))) return undefined;
  return { kind: 'tcp', host, port };
}

/** Whether only programs of this machine can reach it. */
export function isLocalOnly(address: ListenAddress): boolean {
  if (address.kind === 'unix') return true;
  const { host } = address;
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
