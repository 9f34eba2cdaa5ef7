// The form of gatewatch.yml, key by key. A message is what was expected; the place and what was found are added by
// read-config.ts. What concerns more than one key is in cross-checks.ts.
import { z } from 'zod';
import { isDsn } from '../../kong-plugin/contract/sentry-dsn';
import {
  DEFAULT_DATA_DIRECTORY,
  DEFAULT_EVALUATION_INTERVAL_MS,
  DEFAULT_LISTEN,
  DEFAULT_RECORD_FOR_MS,
  DEFAULT_SENTRY_ENVIRONMENT,
  DEFAULT_SERIES_CAP,
} from './default-config';
import { channelShape } from './channel/channel-settings';
import { emailPassword } from './channel/email-settings';
import { externalLabels } from './external-labels';
import { certificates, templateOf } from './channel/file-shapes';
import { routingKey } from './channel/pagerduty-settings';
import { slackToken } from './channel/slack-settings';
import {
  DAY_MS,
  MINUTE_MS,
  PATH_ERROR,
  SECOND_MS,
  SLUG_ERROR,
  TOKEN_ERROR,
  YES_OR_NO_ERROR,
  duration,
  orEmpty,
  path,
  slug,
  token,
  url,
  wholeNumber,
} from './fields';
import { parseListenAddress } from './listen-address';
import { kongShape, linksShape, notificationsShape } from './notification-shape';
import { ruleShape } from './rule-shape';
import { SPOTLIGHT_ERROR, isSpotlight } from './spotlight-url';

/** What is right for a path. */
export const PATHS = path;

const DSN_ERROR = 'a DSN such as https://KEY@HOST/PROJECT, as Sentry shows it under Client Keys (DSN)';
const dsn = z.string({ error: DSN_ERROR }).refine(isDsn, { error: DSN_ERROR });

/** Sentry's own rule: https://docs.sentry.io/platforms/javascript/guides/node/configuration/environments/ */
const ENVIRONMENT_ERROR = 'a name without spaces and slashes, at most 64, and not None';
const environment = z
  .string({ error: ENVIRONMENT_ERROR })
  .regex(/^(?!None$)[!-.0-~]{1,64}$/, { error: ENVIRONMENT_ERROR });

const RELEASE_ERROR = 'a release without spaces and slashes, at most 200';
const release = z
  .string({ error: RELEASE_ERROR })
  .regex(/^(?!\.{1,2}$)[!-.0-[\]-~]{1,200}$/, { error: RELEASE_ERROR });

const RATE_ERROR = 'a number from 0 to 1';
const rate = z.number({ error: RATE_ERROR }).gte(0, { error: RATE_ERROR }).lte(1, { error: RATE_ERROR });

const spotlight = z
  .union([z.boolean(), z.string()], { error: SPOTLIGHT_ERROR })
  .transform(String)
  .refine((text) => text === '' || isSpotlight(text), { error: SPOTLIGHT_ERROR });

const LISTEN_ERROR = 'an address such as 127.0.0.1:9765, or unix: and an absolute path';
const listen = z.string({ error: LISTEN_ERROR }).transform((text, context) => {
  const address = parseListenAddress(text);
  if (address) return address;
  context.addIssue({ code: 'custom', message: LISTEN_ERROR });
  return z.NEVER;
});

export const sentryShape = z.strictObject(
  {
    dsn: orEmpty(dsn, DSN_ERROR),
    dsn_file: orEmpty(path, PATH_ERROR),
    environment: environment.default(DEFAULT_SENTRY_ENVIRONMENT),
    release: orEmpty(release, RELEASE_ERROR),
    traces_sample_rate: rate.default(0),
    profile_session_sample_rate: rate.default(1),
    continuous_profiling_auto_start: z.boolean({ error: YES_OR_NO_ERROR }).default(false),
    spotlight: spotlight.default(''),
    monitor: orEmpty(slug, SLUG_ERROR),
  },
  { error: 'keys and values, such as `dsn: https://KEY@HOST/PROJECT`' },
);

export const configShape = z.strictObject(
  {
    listen: listen.prefault(DEFAULT_LISTEN),
    token: orEmpty(token, TOKEN_ERROR),
    token_file: orEmpty(path, PATH_ERROR),
    web_config_file: orEmpty(path, PATH_ERROR),
    data_dir: path.default(DEFAULT_DATA_DIRECTORY),
    series_cap: wholeNumber(100, 1_000_000).default(DEFAULT_SERIES_CAP),
    record_dir: orEmpty(path, PATH_ERROR),
    record_for: duration(DAY_MS, 400 * DAY_MS).default(DEFAULT_RECORD_FOR_MS),
    evaluation_interval: duration(SECOND_MS, 5 * MINUTE_MS).default(DEFAULT_EVALUATION_INTERVAL_MS),
    rules: z.array(ruleShape, { error: 'a list of rules' }).optional(),
    channels: z.array(channelShape, { error: 'a list of channels' }).default([]),
    notifications: notificationsShape.prefault({}),
    external_labels: externalLabels.default({}),
    links: linksShape.prefault({}),
    kong: kongShape.prefault({}),
    sentry: sentryShape.prefault({}),
  },
  { error: 'keys and values, such as `listen: 127.0.0.1:9765`' },
);

export type ConfigDocument = z.infer<typeof configShape>;
/** The keys that hold a secret, wherever they stand, and what is right for it; each may be `<key>_file` instead. */
export const SECRETS = {
  token,
  webhook_url: url,
  url,
  dsn,
  auth_token: token,
  bot_token: slackToken,
  routing_key: routingKey,
  password: emailPassword,
} as const;

export type SecretKey = keyof typeof SECRETS;

/** The keys that hold several: a list of them, or names and values. */
export const SECRET_GROUPS = ['urls', 'headers', 'signing_secrets'] as const;

/** The keys of a channel that name a file whose text is read with the configuration, and what is right for the text. */
export const FILES: Readonly<
  Record<string, (channel: Readonly<Record<string, unknown>>) => z.ZodType<string>>
> = {
  ca_file: () => certificates,
  template_file: (channel) => templateOf(channel['content_type']),
};

/** The keys that hold numbers; every other holds a text, a list or keys. */
export const NUMBER_KEYS: readonly string[] = [
  'series_cap',
  'p95_latency_ms',
  'latency_ms',
  'quantile',
  'error_rate_threshold',
  'apdex_threshold',
  'apdex_target_ms',
  'traffic_drop_threshold',
  'observed_ratio_threshold',
  'slo_objective',
  'slo_latency_ms',
  'info',
  'warning',
  'error',
  'critical',
  'resolve',
  'factor',
  'confidence',
  'minimum_requests',
  'repeat_factor',
  'max_repeats_per_day',
  'traces_sample_rate',
  'profile_session_sample_rate',
  'port',
  'max_in_flight',
  'max_per_minute',
];

/** The keys whose values a fault may show. A path is not among them: whoever mixes the keys up has a secret there. */
export const SHOWN_KEYS: readonly string[] = [
  ...NUMBER_KEYS,
  'listen',
  'data_dir',
  'record_for',
  'evaluation_interval',
  'name',
  'type',
  'each',
  'window',
  'for',
  'keep_firing_for',
  'baseline',
  'traffic_absence',
  'kong_unreachable',
  'target_unhealthy',
  'disabled',
  'severity',
  'long',
  'short',
  'group_wait',
  'group_interval',
  'repeat_interval',
  'after',
  'every',
  'from',
  'to',
  'time_zone',
  'until',
  'interval',
  'timeout',
  'deadline',
  'fallback',
  'resend_interval',
  'host',
  'tls',
  'method',
  'format',
  'content_type',
  'channel',
  'change_events',
  'allow_private_addresses',
  'environment',
  'continuous_profiling_auto_start',
  'monitor',
];
