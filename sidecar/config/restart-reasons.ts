// What cannot change while the sidecar runs.
import { isDeepStrictEqual } from 'node:util';
import type { Config, SentrySettings } from './config';

/** One sentence for each setting that differs and needs a restart. */
export function restartReasons(current: Config, wanted: Config): string[] {
  const reasons: string[] = [];
  if (!isDeepStrictEqual(current.listen, wanted.listen)) {
    reasons.push(
      'listen: the address cannot change while the sidecar runs; restart it, or set the address back',
    );
  }
  if (current.dataDirectory !== wanted.dataDirectory) {
    reasons.push('data_dir: the directory cannot change while the sidecar runs; restart it, or set it back');
  }
  if (connectionOf(current) !== connectionOf(wanted)) {
    reasons.push(
      'web_config_file: TLS, and whether clients are asked for a certificate, cannot be turned on or off while the ' +
        'sidecar runs; restart it, or set them back',
    );
  }
  if (!isDeepStrictEqual(revealed(current.sentry), revealed(wanted.sentry))) {
    reasons.push(
      'sentry: what Sentry is told of the sidecar itself cannot change while it runs; restart it, or set it back',
    );
  }
  return reasons;
}

/** To the comparison all secrets are equal. */
function revealed({ dsn, ...others }: SentrySettings): object {
  return { dsn: dsn?.reveal(), ...others };
}

/** What is settled when the listener is made. The certificates themselves may change. */
function connectionOf({ web }: Config): 'plain' | 'tls' | 'tls that asks for a certificate' {
  if (web?.tls === undefined) return 'plain';
  return web.tls.clientCertificate === 'none' ? 'tls' : 'tls that asks for a certificate';
}
