// The target of a try as a person writes it: address and port, an IPv6 address in brackets.
import type { UpstreamTry } from './sentry/event/request-facts';

export function targetAddress({ ip, port }: Pick<UpstreamTry, 'ip' | 'port'>): string | undefined {
  if (ip === undefined) return undefined;
  const host = ip.includes(':') && !ip.startsWith('[') ? `[${ip}]` : ip;
  return port === undefined ? host : `${host}:${port}`;
}
