// A channel of the type alertmanager: what fires is told to a cluster of Alertmanagers again and again, which then decide who
// hears of it, and when.
import { z } from 'zod';
import { formatDuration } from '../duration';
import { duration, MINUTE_MS, name, orEmpty, path, PATH_ERROR, SECOND_MS, url } from '../fields';
import { Secret } from '../secret';
import {
  authorityOf,
  baseOf,
  deliveryKeys,
  type CertificateAuthority,
  type ChannelBase,
  type ChannelSources,
} from './channel-base';

export interface AlertmanagerChannelSettings extends ChannelBase {
  readonly type: 'alertmanager';
  /** One for each member of the cluster: all are told. A secret, since an address may hold a password. */
  readonly urls: readonly Secret[];
  /** How often what fires on is told again. */
  readonly resendIntervalMs: number;
  /** PEM: only these authorities are trusted, as with Prometheus. `undefined`: those that Node.js knows. */
  readonly ca: CertificateAuthority | undefined;
}

/** As Prometheus does: --rules.alert.resend-delay. */
const DEFAULT_RESEND_INTERVAL_MS = MINUTE_MS;

const URLS_ERROR = 'a list of addresses, one for each Alertmanager of the cluster';

export const alertmanagerShape = z.strictObject({
  name,
  type: z.literal('alertmanager'),
  urls: z
    .array(
      url.refine((text) => !/\/api\/v\d/.test(text), {
        error: 'the address of an Alertmanager without /api/v2/alerts, which is added to it',
      }),
      { error: URLS_ERROR },
    )
    .min(1, { error: URLS_ERROR })
    .max(20, { error: 'at most 20 addresses' }),
  resend_interval: duration(5 * SECOND_MS, 30 * MINUTE_MS).default(DEFAULT_RESEND_INTERVAL_MS),
  ca_file: orEmpty(path, PATH_ERROR),
  ...deliveryKeys,
});

export function alertmanagerOf(
  document: z.infer<typeof alertmanagerShape>,
  sources: ChannelSources,
): AlertmanagerChannelSettings {
  return {
    ...baseOf(document),
    type: 'alertmanager',
    urls: document.urls.map((one) => new Secret(one.replace(/\/+$/, ''))),
    resendIntervalMs: document.resend_interval,
    ca: authorityOf(document, sources),
  };
}

export function alertmanagerDocument(settings: AlertmanagerChannelSettings): object {
  const { urls, resendIntervalMs, ca } = settings;
  return {
    urls: urls.map(String),
    resend_interval: formatDuration(resendIntervalMs),
    ...(ca === undefined ? {} : { ca_file: ca.file }),
  };
}
