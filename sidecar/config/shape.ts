// The form of gatewatch.yml, key by key. A message is what was expected; the place and what was found are added by
// read-config.ts. What concerns more than one key is in cross-checks.ts.
import { z } from 'zod';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { EXACT_BELOW_MS, cellOf, isCell } from '../../kong-plugin/contract/histogram';
import {
  DEFAULT_APDEX_TARGET_MS,
  DEFAULT_CHANNEL_TIMEOUT_MS,
  DEFAULT_DATA_DIRECTORY,
  DEFAULT_EVALUATION_INTERVAL_MS,
  DEFAULT_FOR_MS,
  DEFAULT_LISTEN,
  DEFAULT_MINIMUM_REQUESTS,
  DEFAULT_SERIES_CAP,
  DEFAULT_SEVERITY,
  DEFAULT_WINDOW_MS,
} from './default-config';
import { formatDuration, parseDuration } from './duration';
import { parseListenAddress } from './listen-address';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** One hour, in cells of the histogram. */
const MAX_BOUND_MS = HOUR_MS;

function duration(leastMs: number, mostMs: number) {
  const error = `a duration from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}, such as 30s or 5m`;
  return z.union([z.string(), z.literal(0)], { error }).transform((text, context) => {
    const durationMs = text === 0 ? 0 : parseDuration(text);
    if (durationMs !== undefined && durationMs >= leastMs && durationMs <= mostMs) return durationMs;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** A time that buckets are cut at; it must be a cell of the histogram, so that what is under it can be counted exactly. */
function boundMs(mostMs: number) {
  const error = `a whole number of ms from 1 to ${mostMs}`;
  return z
    .int({ error })
    .min(1, { error })
    .max(mostMs, { error })
    .superRefine((ms, context) => {
      if (!Number.isInteger(ms) || ms < 1 || isCell(ms)) return;
      const nearest = cellOf(ms);
      const message =
        `a number of ms with at most three significant digits above ${EXACT_BELOW_MS}, ` +
        `to which times are kept; the next is ${nearest}`;
      context.addIssue({ code: 'custom', message });
    });
}

function share() {
  const error = 'a number above 0 and below 1, such as 0.01 for 1 %';
  return z.number({ error }).gt(0, { error }).lt(1, { error });
}

const NAME_ERROR = 'a name of letters, digits, _ and -, at most 64';
const name = z.string({ error: NAME_ERROR }).regex(/^[A-Za-z0-9_-]{1,64}$/, { error: NAME_ERROR });

const TOKEN_ERROR = 'a token of 16 to 512 printable characters without spaces';
const token = z.string({ error: TOKEN_ERROR }).regex(/^[!-~]{16,512}$/, { error: TOKEN_ERROR });

const path = z.string({ error: 'the path of a file' }).min(1, { error: 'the path of a file' });

const URL_ERROR = 'an http or https address';
const url = z.string({ error: URL_ERROR }).refine(isHttpUrl, { error: URL_ERROR });

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
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
    p95_latency_ms: boundMs(MAX_BOUND_MS).optional(),
    error_rate_threshold: share().optional(),
    apdex_threshold: share().optional(),
    // 4T is a bound as well.
    apdex_target_ms: boundMs(MAX_BOUND_MS / 4)
      .default(DEFAULT_APDEX_TARGET_MS)
      .refine((ms) => !isCell(ms) || isCell(4 * ms), {
        error: `a number of ms whose fourfold has at most three significant digits above ${EXACT_BELOW_MS}`,
      }),
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
    webhook_url: url.optional(),
    webhook_url_file: path.optional(),
    timeout,
  }),
  z.strictObject({
    name,
    type: z.literal('webhook'),
    url: url.optional(),
    url_file: path.optional(),
    timeout,
  }),
] as const;

const channel = z.discriminatedUnion('type', channelShapes, {
  error: 'slack or webhook',
});

export const configShape = z.strictObject(
  {
    listen: listen.prefault(DEFAULT_LISTEN),
    // Empty: none, as from an unset variable.
    token: z.union([z.literal(''), token], { error: TOKEN_ERROR }).nullish(),
    token_file: path.optional(),
    data_dir: path.default(DEFAULT_DATA_DIRECTORY),
    series_cap: wholeNumber(100, 1_000_000).default(DEFAULT_SERIES_CAP),
    evaluation_interval: duration(SECOND_MS, 5 * MINUTE_MS).default(DEFAULT_EVALUATION_INTERVAL_MS),
    rules: z.array(ruleShape, { error: 'a list of rules' }).optional(),
    channels: z.array(channel, { error: 'a list of channels' }).default([]),
  },
  { error: 'keys and values, such as `listen: 127.0.0.1:9765`' },
);

export type ConfigDocument = z.infer<typeof configShape>;
export type RuleDocument = z.infer<typeof ruleShape>;
export type ChannelDocument = ConfigDocument['channels'][number];

/** The keys that hold secrets, wherever they stand, and what is right for them; each may be `<key>_file` instead. */
export const SECRETS = { token, webhook_url: url, url } as const;

export type SecretKey = keyof typeof SECRETS;
