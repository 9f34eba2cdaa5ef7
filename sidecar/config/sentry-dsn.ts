// Where the envelopes of a Sentry project go.
import { readDsn } from '../../kong-plugin/contract/sentry-dsn';

/**
 * The address that takes envelopes (https://develop.sentry.dev/sdk/data-model/envelopes/), the key included.
 *
 * @param dsn a DSN: `isDsn`
 * @param version of this program
 */
export function envelopeUrlOf(dsn: string, version: string): string {
  const { origin, path } = readDsn(dsn, `gatewatch/${version}`);
  return `${origin}${path}`;
}
