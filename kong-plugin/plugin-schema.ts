// The plugin's configuration in Kong's schema language, as data. Kong checks it and refuses what does not fit with its own
// messages, so a running plugin only ever sees values of these types and ranges. Patterns are Lua's.
import { SEVERITIES } from './contract/severity';
import { SENTRY_SCHEMA } from './sentry/settings/sentry-schema';

export const DEFAULT_SIDECAR_URL = 'http://127.0.0.1:9765';

/** Default and range of the settings in ms. */
export const DURATIONS_MS = {
  /** How often what was observed is sent; a sidecar takes a producer for silent after 25 s. */
  flush_interval_ms: { default: 1_000, between: [100, 10_000] },
  /** How long one try may take before it is broken off and made again. */
  request_timeout_ms: { default: 5_000, between: [100, 60_000] },
  /** How long the end of the plugin server waits for what is not sent yet. */
  shutdown_timeout_ms: { default: 5_000, between: [0, 60_000] },
} as const;

/** So that a socket's path in it stays under the 107 bytes that Linux takes. */
export const MAX_SPOOL_DIR_BYTES = 72;

const duration = { type: 'integer', required: true } as const;

export const PLUGIN_SCHEMA = [
  // http://host:port, https://host:port or unix:/path of the sidecar. Loopback, since the sidecar stands beside Kong.
  {
    sidecar_url: {
      type: 'string',
      required: true,
      default: DEFAULT_SIDECAR_URL,
      match_any: {
        // No @ before the path: a user or a password there would stand in Kong's log.
        patterns: ['^https?://[^%s/@]+$', '^https?://[^%s/@]+/[^%s]*$', '^unix:/[^%s]+$'],
        err: 'expected http://host:port, https://host:port or unix:/path, without a user or a password',
      },
    },
  },
  // The sidecar's token. Kong resolves a reference such as {vault://env/gatewatch-token} before the plugin sees it.
  { sidecar_token: { type: 'string', required: false, referenceable: true } },
  { flush_interval_ms: { ...duration, ...DURATIONS_MS.flush_interval_ms } },
  { request_timeout_ms: { ...duration, ...DURATIONS_MS.request_timeout_ms } },
  { shutdown_timeout_ms: { ...duration, ...DURATIONS_MS.shutdown_timeout_ms } },
  // Where an event is written before Kong is answered, so that a plugin server that is killed loses none. A folder of the plugin
  // server's own user; without it, one in the system's folder for temporary files.
  { spool_dir: { type: 'string', required: false, match: '^/', len_max: MAX_SPOOL_DIR_BYTES } },
  // A service's own names for its own statuses. Without a service the name holds for all of them.
  {
    error_types: {
      type: 'array',
      required: true,
      default: [],
      elements: {
        type: 'record',
        fields: [
          { service: { type: 'string', required: false } },
          { status: { type: 'integer', required: true, between: [200, 599] } },
          { error_type: { type: 'string', required: true, match: '^[a-z][a-z0-9_]*$', len_max: 64 } },
          { severity: { type: 'string', required: true, default: 'error', one_of: [...SEVERITIES] } },
        ],
      },
    },
  },
  // Errors and traces in Sentry; without it, and without a DSN, nothing is reported there.
  { sentry: SENTRY_SCHEMA },
];
