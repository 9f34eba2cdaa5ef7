// What the configuration allows and an operator should know of: sentences for the log, each with what to do. What must not be
// is a fault instead (cross-checks.ts).
import type { Config } from './config';
import { isLocalOnly } from './listen-address';
import { describeListen } from './render-config';

export function doorWarnings({ listen, token, web }: Config): string[] {
  if (isLocalOnly(listen) || web?.tls !== undefined) return [];
  const readable = [
    ...(token === undefined ? [] : ['the token']),
    ...(web === undefined || web.users.length === 0 ? [] : ['the passwords of basic_auth_users']),
  ];
  if (readable.length === 0) return [];
  return [
    `${describeListen(listen)} can be reached from other machines, and without TLS ${readable.join(' and ')} cross the ` +
      'network unencrypted. Set tls_server_config in web_config_file, listen on 127.0.0.1 behind a proxy with TLS, ' +
      'or keep it to a network that you trust',
  ];
}
