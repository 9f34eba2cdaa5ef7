// From the TLS settings to what Node wants, at the start and at each reload.
import type { SecureContextOptions } from 'node:tls';
import type { TlsSettings } from '../config/web-config';

export function tlsOptionsOf({
  cert,
  key,
  clientCa,
  minVersion,
  maxVersion,
}: TlsSettings): SecureContextOptions {
  return {
    cert,
    key: key.reveal(),
    minVersion,
    maxVersion,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  };
}
