// The form of gatewatch.yml, key by key. A message is what was expected; the place and what was found are added by
// read-config.ts. What concerns more than one key is in cross-checks.ts.
import { z } from 'zod';
import { isDsn } from '../../kong-plugin/contract/sentry-dsn';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { EXACT_BELOW_MS, isCell } from '../../kong-plugin/contract/histogram';
import {
  DEFAULT_APDEX_TARGET_MS,
  DEFAULT_CHANNEL_TIMEOUT_MS,
  DEFAULT_DATA_DIRECTORY,
  DEFAULT_EVALUATION_INTERVAL_MS,
  DEFAULT_FOR_MS,
  DEFAULT_LISTEN,
  DEFAULT_MINIMUM_REQUESTS,
  DEFAULT_SENTRY_API_URL,
  DEFAULT_SENTRY_ENVIRONMENT,
  DEFAULT_SERIES_CAP,
  DEFAULT_SEVERITY,
  DEFAULT_WINDOW_MS,
} from './default-config';
import { formatDuration, parseDuration } from './duration';
import { parseListenAddress } from './listen-address';
import { SPOTLIGHT_ERROR, isSpotlight } from './spotlight-url';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** One hour, in cells of the histogram. */
const MAX_BOUND_MS = HOUR_MS;

function duration(leastMs: number, mostMs: number) {
  const error = `a duration from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}, such as 30s or 5m`;
  return z.union([z.string(), z.literal(0)], { error }).transform((text, context) => {
    const durationMs = text === 0 || text === '0' ? 0 : parseDuration(text);
    if (durationMs !== undefined && durationMs >= leastMs && durationMs <= mostMs) return durationMs;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** A time that buckets are cut at; each must be a cell of the histogram, so that what is under it can be counted exactly. */
function boundMs(mostMs: number, what: string, isExact: (ms: number) => boolean) {
  const error = `a whole number of ms from 1 to ${mostMs}`;
  return z
    .int({ error })
    .min(1, { error })
    .max(mostMs, { error })
    .superRefine((ms, context) => {
      if (!Number.isInteger(ms) || ms < 1 || ms > mostMs || isExact(ms)) return;
      const message =
        `${what} at most three significant digits above ${EXACT_BELOW_MS}, to which times are kept; ` +
        `the nearest is ${nearest(ms, isExact)}`;
      context.addIssue({ code: 'custom', message });
    });
}

/** The limits are exact themselves, so this ends. */
function nearest(ms: number, isExact: (ms: number) => boolean): number {
  let distanceMs = 1;
  while (!isExact(ms - distanceMs) && !isExact(ms + distanceMs)) distanceMs++;
  return isExact(ms - distanceMs) ? ms - distanceMs : ms + distanceMs;
}

const SHARE_ERROR = 'a number from 0 to below 1, such as 0.01 for 1 %';
/** 0: every error breaches. 1 would never breach, and most likely means 1 %. */
const errorRate = z
  .number({ error: SHARE_ERROR })
  .gte(0, { error: SHARE_ERROR })
  .lt(1, { error: SHARE_ERROR });

const SCORE_ERROR = 'a number above 0 and at most 1, such as 0.95';
/** 1: every request that is not satisfied breaches. 0 would never breach. */
const apdexScore = z
  .number({ error: SCORE_ERROR })
  .gt(0, { error: SCORE_ERROR })
  .lte(1, { error: SCORE_ERROR });

const NAME_ERROR = 'a name of letters, digits, _ and -, at most 64';
const name = z.string({ error: NAME_ERROR }).regex(/^[A-Za-z0-9_-]{1,64}$/, { error: NAME_ERROR });

const TOKEN_ERROR = 'a token of 16 to 512 printable characters without spaces';
const token = z.string({ error: TOKEN_ERROR }).regex(/^[!-~]{16,512}$/, { error: TOKEN_ERROR });

const PATH_ERROR = 'a path (~ is not filled in, ${HOME} is)';
const path = z.string({ error: PATH_ERROR }).regex(/^[^~\0][^\0]*$/, { error: PATH_ERROR });

/** What is right for a path. */
export const PATHS = path;

const URL_ERROR = 'an http or https address';
const url = z.string({ error: URL_ERROR }).refine(isHttpUrl, { error: URL_ERROR });

function isHttpUrl(text: string): boolean {
  // The parser drops line breaks and tabs without a word.
  if (!/^[!-~]+$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && isDecodable(username) && isDecodable(password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const DSN_ERROR = 'a DSN such as https://KEY@HOST/PROJECT, as Sentry shows it under Client Keys (DSN)';
const dsn = z.string({ error: DSN_ERROR }).refine(isDsn, { error: DSN_ERROR });

const SLUG_ERROR = 'a name of lowercase letters, digits, _ and -, at most 50';
const slug = z.string({ error: SLUG_ERROR }).regex(/^[a-z0-9_-]{1,50}$/, { error: SLUG_ERROR });

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

const YES_OR_NO_ERROR = 'true or false';

/** A key that may be left empty, as from an unset variable; it is then as if it were not there. */
function orEmpty(shape: z.ZodType<string>, error: string) {
  return z.union([z.literal(''), shape], { error }).nullish();
}

const LISTEN_ERROR = 'an address such as 127.0.0.1:9765, or unix: and an absolute path';
const listen = z.string({ error: LISTEN_ERROR }).transform((text, context) => {
  const address = parseListenAddress(text);
  if (address) return address;
  context.addIssue({ code: 'custom', message: LISTEN_ERROR });
  return z.NEVER;
});

const severity = z.enum(SEVERITIES, { error: `one of ${SEVERITIES.join(', ')}` });

export const ruleShape = z.strictObject(
  {
    name,
    p95_latency_ms: boundMs(MAX_BOUND_MS, 'a number of ms with', isCell).optional(),
    error_rate_threshold: errorRate.optional(),
    apdex_threshold: apdexScore.optional(),
    // 4T is a bound as well.
    apdex_target_ms: boundMs(
      MAX_BOUND_MS / 4,
      'a number of ms that has, and whose fourfold has,',
      (ms) => isCell(ms) && isCell(4 * ms),
    ).default(DEFAULT_APDEX_TARGET_MS),
    window: duration(10 * SECOND_MS, HOUR_MS).default(DEFAULT_WINDOW_MS),
    for: duration(0, DAY_MS).default(DEFAULT_FOR_MS),
    minimum_requests: wholeNumber(1, 1_000_000_000).default(DEFAULT_MINIMUM_REQUESTS),
    severity: severity.default(DEFAULT_SEVERITY),
  },
  { error: 'a rule: keys and values' },
);

const timeout = duration(SECOND_MS, MINUTE_MS).default(DEFAULT_CHANNEL_TIMEOUT_MS);

export const channelShapes = [
  z.strictObject({
    name,
    type: z.literal('slack'),
    webhook_url: orEmpty(url, URL_ERROR),
    webhook_url_file: orEmpty(path, PATH_ERROR),
    timeout,
  }),
  z.strictObject({
    name,
    type: z.literal('webhook'),
    url: orEmpty(url, URL_ERROR),
    url_file: orEmpty(path, PATH_ERROR),
    timeout,
  }),
  z.strictObject({
    name,
    type: z.literal('sentry'),
    auth_token: orEmpty(token, TOKEN_ERROR),
    auth_token_file: orEmpty(path, PATH_ERROR),
    organization: orEmpty(slug, SLUG_ERROR),
    project: orEmpty(slug, SLUG_ERROR),
    api_url: url.default(DEFAULT_SENTRY_API_URL),
    timeout,
  }),
] as const;

const channel = z.discriminatedUnion('type', channelShapes, {
  error: 'slack, webhook or sentry',
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
    evaluation_interval: duration(SECOND_MS, 5 * MINUTE_MS).default(DEFAULT_EVALUATION_INTERVAL_MS),
    rules: z.array(ruleShape, { error: 'a list of rules' }).optional(),
    channels: z.array(channel, { error: 'a list of channels' }).default([]),
    sentry: sentryShape.prefault({}),
  },
  { error: 'keys and values, such as `listen: 127.0.0.1:9765`' },
);

export type ConfigDocument = z.infer<typeof configShape>;
export type RuleDocument = z.infer<typeof ruleShape>;
export type ChannelDocument = ConfigDocument['channels'][number];

/** The keys that hold secrets, wherever they stand, and what is right for them; each may be `<key>_file` instead. */
export const SECRETS = { token, webhook_url: url, url, dsn, auth_token: token } as const;

export type SecretKey = keyof typeof SECRETS;

/** The keys that hold numbers; every other holds a text, a list or keys. */
export const NUMBER_KEYS: readonly string[] = [
  'series_cap',
  'p95_latency_ms',
  'error_rate_threshold',
  'apdex_threshold',
  'apdex_target_ms',
  'minimum_requests',
  'traces_sample_rate',
  'profile_session_sample_rate',
];

/** The keys whose values a fault may show. A path is not among them: whoever mixes the keys up has a secret there. */
export const SHOWN_KEYS: readonly string[] = [
  ...NUMBER_KEYS,
  'listen',
  'data_dir',
  'evaluation_interval',
  'name',
  'type',
  'window',
  'for',
  'severity',
  'timeout',
  'environment',
  'continuous_profiling_auto_start',
  'monitor',
];
