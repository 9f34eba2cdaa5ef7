// The configuration in force as YAML, every secret as `<secret>`: first in the form of gatewatch.yml, then, where there is one,
// the web configuration in its own form as a second document. Read again, with the secrets filled in, it means the same.
import { stringify } from 'yaml';
import { channelDocument } from './channel/channel-settings';
import type { Config, ListenAddress, RecordingSettings, SentrySettings } from './config';
import { formatDuration } from './duration';
import { kongDocument, linksDocument, notificationsDocument } from './render-policy';
import { ruleDocument } from './render-rule';
import type { Secret } from './secret';
import type { TlsSettings, WebConfig } from './web-config';

export function renderConfig(config: Config): string {
  const { listen, token, web, dataDirectory, seriesCap, evaluationIntervalMs, rules, channels } = config;
  const { recording, notifications, externalLabels, links, kong, sentry } = config;
  const document = {
    listen: describeListen(listen),
    ...(token === undefined ? {} : { token: show(token) }),
    ...(web === undefined ? {} : { web_config_file: web.file }),
    data_dir: dataDirectory,
    series_cap: seriesCap,
    ...(recording === undefined ? {} : recordingDocument(recording)),
    evaluation_interval: formatDuration(evaluationIntervalMs),
    rules: rules.map(ruleDocument),
    channels: channels.map(channelDocument),
    notifications: notificationsDocument(notifications),
    ...(Object.keys(externalLabels).length === 0 ? {} : { external_labels: externalLabels }),
    links: linksDocument(links),
    kong: kongDocument(kong),
    sentry: sentryDocument(sentry),
  };
  return web === undefined ? yaml(document) : `${yaml(document)}---\n${yaml(webDocument(web))}`;
}

/** As an address is written in the configuration. */
export function describeListen(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const { host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function recordingDocument({ directory, keepMs }: RecordingSettings): object {
  return { record_dir: directory, record_for: formatDuration(keepMs) };
}

function sentryDocument(sentry: SentrySettings): object {
  return {
    ...(sentry.dsn === undefined ? {} : { dsn: show(sentry.dsn) }),
    environment: sentry.environment,
    ...(sentry.release === undefined ? {} : { release: sentry.release }),
    traces_sample_rate: sentry.tracesSampleRate,
    profile_session_sample_rate: sentry.profileSessionSampleRate,
    continuous_profiling_auto_start: sentry.isProfiledFromStart,
    spotlight: sentry.spotlightUrl ?? false,
    ...(sentry.monitor === undefined ? {} : { monitor: sentry.monitor }),
  };
}

function webDocument({ tls, users, headers }: WebConfig): object {
  return {
    ...(tls === undefined ? {} : { tls_server_config: tlsDocument(tls) }),
    ...(users.length === 0
      ? {}
      : { basic_auth_users: Object.fromEntries(users.map(({ name, hash }) => [name, show(hash)])) }),
    ...(Object.keys(headers).length === 0 ? {} : { http_server_config: { headers } }),
  };
}

const CLIENT_AUTH_TYPES = {
  none: 'NoClientCert',
  verified_if_given: 'VerifyClientCertIfGiven',
  required: 'RequireAndVerifyClientCert',
} as const;

const TLS_VERSIONS = { 'TLSv1.2': 'TLS12', 'TLSv1.3': 'TLS13' } as const;

function tlsDocument(tls: TlsSettings): object {
  return {
    cert_file: tls.certFile,
    key_file: tls.keyFile,
    client_auth_type: CLIENT_AUTH_TYPES[tls.clientCertificate],
    ...(tls.clientCaFile === undefined ? {} : { client_ca_file: tls.clientCaFile }),
    min_version: TLS_VERSIONS[tls.minVersion],
    max_version: TLS_VERSIONS[tls.maxVersion],
  };
}

function show(secret: Secret): string {
  return secret.toString();
}

function yaml(document: object): string {
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
}
