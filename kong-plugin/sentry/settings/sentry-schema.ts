// The `sentry` record of the plugin's configuration in Kong's schema language, as data. Kong checks it when it loads its
// configuration; what this language cannot say (a service twice, a reference to no DSN) the plugin says when its instance starts.
// Patterns are Lua's. A DSN that is written out never stands in a message: `err` takes the place of Kong's own.
import { SEVERITIES } from '../../contract/severity';
import { SOURCES } from '../../contract/source';
import { FINGERPRINT_PART_ERROR, MAX_FINGERPRINT_PARTS, STANDARD_FINGERPRINT } from '../decide/fingerprint';
import { EVENT_FIELDS, LEVELS } from './sentry-settings';

/** A number's default, and the range in which it must be. */
export interface NumberSetting {
  readonly default: number;
  readonly between: readonly [least: number, most: number];
}

const ALL: NumberSetting = { default: 1, between: [0, 1] };

/** Shares, 0 to 1. */
export const SHARES = {
  /** Of the error events that no rule drops. */
  sample_rate: ALL,
  /** Of the processes: a session is the life of one. */
  profile_session_sample_rate: ALL,
} as const satisfies Readonly<Record<string, NumberSetting>>;

/**
 * Of the requests that are neither errors nor slow, and whose caller has not decided. As much as is still cheap where there is
 * much traffic; everything where a person looks at single requests.
 */
export const TRACES_SAMPLE_RATES = {
  production: { default: 0.1, between: [0, 1] },
  staging: { default: 0.5, between: [0, 1] },
  development: { default: 1, between: [0, 1] },
  /** Any other environment. */
  other: { default: 0.1, between: [0, 1] },
} as const satisfies Readonly<Record<string, NumberSetting>>;

/** Times in ms. */
export const SENTRY_TIMES_MS = {
  /** Upstream and gateway time from which a request is slow, and always traced. */
  traces_slow_ms: { default: 1_000, between: [1, 3_600_000] },
  /** How long the end of the plugin server waits for what is not sent yet. */
  shutdown_timeout_ms: { default: 2_000, between: [0, 60_000] },
} as const satisfies Readonly<Record<string, NumberSetting>>;

/** Token buckets: so many at once, then so many a minute. At their default an hour costs at most 18,050 events. */
export const GOVERNOR_LIMITS = {
  issue_burst: { default: 5, between: [1, 1_000] },
  issue_events_per_minute: { default: 6, between: [1, 6_000] },
  total_burst: { default: 50, between: [1, 10_000] },
  total_events_per_minute: { default: 300, between: [1, 60_000] },
  transaction_burst: { default: 50, between: [1, 10_000] },
  transactions_per_minute: { default: 600, between: [1, 600_000] },
} as const satisfies Readonly<Record<string, NumberSetting>>;

export const STANDARD_ENVIRONMENT = 'production';
export const STANDARD_MINIMUM_SEVERITY = 'warning';
/** Where Spotlight listens when it is started without options. */
export const STANDARD_SPOTLIGHT_URL = 'http://127.0.0.1:8969/stream';

/** `small`: the declared size, since a log phase has no body. */
export const REQUEST_BODIES = ['never', 'small'] as const;
export const STANDARD_REQUEST_BODIES = 'small';

/** Sentry's own limits, in characters: docs.sentry.io, "Environments", "Naming Releases" and "Tags". */
export const MAX_ENVIRONMENT_LENGTH = 64;
export const MAX_RELEASE_LENGTH = 200;
export const MAX_TAG_LENGTH = 200;
export const RESERVED_ENVIRONMENT = 'None';
export const RESERVED_RELEASES = ['.', '..', ' '] as const;

const DSN = {
  type: 'string',
  required: false,
  referenceable: true,
  // Empty is none, as a reference to an empty variable is.
  len_min: 0,
  match_any: {
    patterns: ['^$', '^https?://[%w_:]+@[^%s@?#]+/%d+$'],
    err: 'expected https://KEY@HOST/PROJECT, as Sentry shows it under Client Keys (DSN)',
  },
} as const;

const ENVIRONMENT = {
  type: 'string',
  ne: RESERVED_ENVIRONMENT,
  len_max: MAX_ENVIRONMENT_LENGTH,
  match: '^[^%s%c/]+$',
} as const;

const FINGERPRINT = {
  type: 'array',
  len_min: 1,
  len_max: MAX_FINGERPRINT_PARTS,
  elements: {
    type: 'string',
    len_max: MAX_TAG_LENGTH,
    match_any: {
      patterns: ['^[^{}]+$', ...EVENT_FIELDS.map((field) => `^{${field}}$`)],
      err: FINGERPRINT_PART_ERROR,
    },
  },
} as const;

const SEVERITY = { type: 'string', one_of: [...SEVERITIES] } as const;
const SWITCH = { type: 'boolean', required: true, default: false } as const;

export const SENTRY_SCHEMA = {
  type: 'record',
  required: false,
  fields: [
    // The project that gets what is reported. A reference that is empty switches Sentry off: {vault://env/sentry-dsn}.
    { dsn: DSN },
    { environment: { ...ENVIRONMENT, required: true, default: STANDARD_ENVIRONMENT } },
    // Without one: gatewatch@ and the plugin's version.
    {
      release: {
        type: 'string',
        required: false,
        not_one_of: [...RESERVED_RELEASES],
        len_max: MAX_RELEASE_LENGTH,
        match: '^[^%c/\\]+$',
      },
    },
    // Client address, consumer and path of a request, and the declared size of its body.
    { send_personal_data: SWITCH },
    {
      request_bodies: {
        type: 'string',
        required: true,
        default: STANDARD_REQUEST_BODIES,
        one_of: [...REQUEST_BODIES],
      },
    },
    { sample_rate: required('number', SHARES.sample_rate) },
    { minimum_severity: { ...SEVERITY, required: true, default: STANDARD_MINIMUM_SEVERITY } },
    // What makes events one issue.
    { fingerprint: { ...FINGERPRINT, required: true, default: [...STANDARD_FINGERPRINT] } },
    // Rules for error events: where every condition holds, the event is dropped, or gets another level, fingerprint or tags.
    {
      before_send: {
        type: 'array',
        required: true,
        default: [],
        len_max: 100,
        elements: {
          type: 'record',
          fields: [
            { service: { type: 'string', required: false } },
            { operation: { type: 'string', required: false } },
            { error_type: { type: 'string', required: false } },
            { status: { type: 'integer', required: false, between: [100, 999] } },
            { source: { type: 'string', required: false, one_of: [...SOURCES] } },
            { severity: { ...SEVERITY, required: false } },
            { drop: { type: 'boolean', required: false, eq: true } },
            { level: { type: 'string', required: false, one_of: [...LEVELS] } },
            { fingerprint: { ...FINGERPRINT, required: false } },
            {
              tags: {
                type: 'map',
                required: false,
                len_min: 1,
                keys: { type: 'string', len_max: MAX_TAG_LENGTH, match: '^[%w_.:-]+$' },
                values: { type: 'string', len_max: MAX_TAG_LENGTH, match: '^[^%c]+$' },
              },
            },
          ],
          entity_checks: [
            { at_least_one_of: ['drop', 'level', 'fingerprint', 'tags'] },
            { mutually_exclusive_sets: { set1: ['drop'], set2: ['level', 'fingerprint', 'tags'] } },
          ],
        },
      },
    },
    { traces_enabled: { type: 'boolean', required: true, default: true } },
    { traces_slow_ms: required('integer', SENTRY_TIMES_MS.traces_slow_ms) },
    { traces_follow_parent: { type: 'boolean', required: true, default: true } },
    // The one of the environment holds.
    {
      traces_sample_rates: {
        type: 'record',
        required: true,
        fields: fieldsOf('number', TRACES_SAMPLE_RATES),
      },
    },
    { governor: { type: 'record', required: true, fields: fieldsOf('integer', GOVERNOR_LIMITS) } },
    { profile_session_sample_rate: required('number', SHARES.profile_session_sample_rate) },
    { continuous_profiling_auto_start: SWITCH },
    // Without it the environment variable SENTRY_SPOTLIGHT of the plugin server decides.
    { spotlight: { type: 'boolean', required: false } },
    {
      spotlight_url: {
        type: 'string',
        required: true,
        default: STANDARD_SPOTLIGHT_URL,
        match_any: {
          patterns: ['^https?://[^%s/@]+$', '^https?://[^%s/@]+/[^%s@]*$'],
          err: 'expected http://host:port/path, without a user or a password',
        },
      },
    },
    { shutdown_timeout_ms: required('integer', SENTRY_TIMES_MS.shutdown_timeout_ms) },
    // What is otherwise for one service; what is not said is as above.
    {
      services: {
        type: 'array',
        required: true,
        default: [],
        elements: {
          type: 'record',
          fields: [
            { service: { type: 'string', required: true } },
            { dsn: DSN },
            { environment: { ...ENVIRONMENT, required: false } },
            { send_personal_data: { type: 'boolean', required: false } },
            { sample_rate: optional('number', SHARES.sample_rate) },
            { minimum_severity: { ...SEVERITY, required: false } },
            { traces_sample_rate: optional('number', TRACES_SAMPLE_RATES.production) },
            { traces_slow_ms: optional('integer', SENTRY_TIMES_MS.traces_slow_ms) },
          ],
        },
      },
    },
  ],
};

function required(type: 'number' | 'integer', setting: NumberSetting): object {
  return { type, required: true, ...setting };
}

function optional(type: 'number' | 'integer', { between }: NumberSetting): object {
  return { type, required: false, between };
}

function fieldsOf(type: 'number' | 'integer', settings: Readonly<Record<string, NumberSetting>>): object[] {
  return Object.entries(settings).map(([name, setting]) => ({ [name]: required(type, setting) }));
}
