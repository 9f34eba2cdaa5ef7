// From the `sentry` record of a configuration to typed settings. Kong has checked it against the schema; this reads it without
// trust all the same, and says what the schema's language cannot. What Kong leaves out has the schema's default.
import { labelText } from '../../contract/label-text';
import { SEVERITIES, type Severity } from '../../contract/severity';
import { SOURCES } from '../../contract/source';
import { ERROR_SEVERITIES } from '../../contract/error-severities';
import {
  flagOf,
  isSet,
  listOf,
  numberOf,
  recordOf,
  refuse,
  textOf,
  wholeOf,
  wordOf,
  type Fields,
} from './read-fields';
import { checkDsn } from '../../contract/sentry-dsn';
import { STANDARD_FINGERPRINT, readFingerprint } from '../decide/fingerprint';
import {
  GOVERNOR_LIMITS,
  MAX_ENVIRONMENT_LENGTH,
  MAX_RELEASE_LENGTH,
  MAX_TAG_LENGTH,
  REQUEST_BODIES,
  RESERVED_ENVIRONMENT,
  RESERVED_RELEASES,
  SENTRY_TIMES_MS,
  SHARES,
  STANDARD_ENVIRONMENT,
  STANDARD_MINIMUM_SEVERITY,
  STANDARD_REQUEST_BODIES,
  STANDARD_SPOTLIGHT_URL,
  TRACES_SAMPLE_RATES,
} from './sentry-schema';
import {
  LEVELS,
  type BeforeSendRule,
  type GovernorSettings,
  type ReportingSettings,
  type SentrySettings,
  type TracingSettings,
} from './sentry-settings';

/** As the SDK reads its own variables. */
const OFF_WORDS = ['false', 'f', 'n', 'no', 'off', '0'];
const ON_WORDS = ['true', 't', 'y', 'yes', 'on', '1'];

/**
 * @param value the `sentry` record; none where nothing is configured
 * @param pluginVersion part of the standard release
 * @param environment of the plugin server: SENTRY_SPOTLIGHT is read. Kong's own plugin servers have it from their start command
 *   only, since nginx clears the environment
 * @param namedErrorTypes beside the built-in ones: a rule for any other would never match
 * @returns `undefined` where there is neither a DSN nor Spotlight to report to
 * @throws Error naming the setting, what was expected and what was found; never a DSN
 */
export function readSentrySettings(
  value: unknown,
  pluginVersion: string,
  environment: Readonly<Record<string, string | undefined>>,
  namedErrorTypes: readonly string[] = [],
): SentrySettings | undefined {
  const fields = recordOf(value);
  const errorTypes = [...Object.keys(ERROR_SEVERITIES), ...namedErrorTypes];
  const standard = standardOf(fields, pluginVersion, errorTypes);
  const settings = {
    standard,
    services: servicesOf(fields, standard),
    governor: governorOf(recordOf(fields['governor'])),
    spotlightUrl: spotlightUrlOf(fields, environment['SENTRY_SPOTLIGHT']),
    profileSessionSampleRate: flagOf(fields, 'continuous_profiling_auto_start', 'sentry', false)
      ? numberOf(fields, 'profile_session_sample_rate', 'sentry', SHARES.profile_session_sample_rate)
      : 0,
    shutdownTimeoutMs: wholeOf(fields, 'shutdown_timeout_ms', 'sentry', SENTRY_TIMES_MS.shutdown_timeout_ms),
  };
  const hasDsn = [standard, ...settings.services.values()].some(({ dsn }) => dsn !== undefined);
  return hasDsn || settings.spotlightUrl !== undefined ? settings : undefined;
}

function standardOf(fields: Fields, pluginVersion: string, errorTypes: readonly string[]): ReportingSettings {
  const environment = environmentOf(fields, 'sentry') ?? STANDARD_ENVIRONMENT;
  const sendsPersonalData = flagOf(fields, 'send_personal_data', 'sentry', false);
  return {
    dsn: dsnOf(fields, 'sentry'),
    environment,
    release: releaseOf(fields) ?? `gatewatch@${pluginVersion}`,
    sendsPersonalData,
    sendsBodySize: sendsPersonalData && hasSmallBodies(fields),
    sampleRate: numberOf(fields, 'sample_rate', 'sentry', SHARES.sample_rate),
    minimumSeverity: minimumSeverityOf(fields, 'sentry') ?? STANDARD_MINIMUM_SEVERITY,
    fingerprint: readFingerprint(fields['fingerprint'] ?? STANDARD_FINGERPRINT, 'sentry.fingerprint'),
    beforeSend: listOf(fields['before_send'], 'sentry.before_send').map((rule, index) =>
      ruleOf(rule, index, errorTypes),
    ),
    tracing: tracingOf(fields, environment),
  };
}

function tracingOf(fields: Fields, environment: string): TracingSettings | undefined {
  const sampleRate = traceRateOf(fields, environment);
  const slowMs = wholeOf(fields, 'traces_slow_ms', 'sentry', SENTRY_TIMES_MS.traces_slow_ms);
  const followsParent = flagOf(fields, 'traces_follow_parent', 'sentry', true);
  return flagOf(fields, 'traces_enabled', 'sentry', true) ? { sampleRate, slowMs, followsParent } : undefined;
}

/** Each is read, so that a wrong one is told before its environment comes. */
function traceRateOf(fields: Fields, environment: string): number {
  const rates = recordOf(fields['traces_sample_rates']);
  const read = Object.entries(TRACES_SAMPLE_RATES).map(([name, setting]): [string, number] => [
    name,
    numberOf(rates, name, 'sentry.traces_sample_rates', setting),
  ]);
  const byEnvironment = new Map(read);
  return byEnvironment.get(environment) ?? byEnvironment.get('other') ?? TRACES_SAMPLE_RATES.other.default;
}

function servicesOf(fields: Fields, standard: ReportingSettings): Map<string, ReportingSettings> {
  const services = new Map<string, ReportingSettings>();
  for (const [index, value] of listOf(fields['services'], 'sentry.services').entries()) {
    const place = `sentry.services[${index}]`;
    const own = recordOf(value);
    const service = labelText(
      textOf(own, 'service', place) ?? refuse(`${place}.service`, 'a name', undefined),
    );
    if (services.has(service)) refuse(`${place}.service`, 'each service once', service);
    services.set(service, overriddenOf(own, place, fields, standard));
  }
  return services;
}

function overriddenOf(
  own: Fields,
  place: string,
  fields: Fields,
  standard: ReportingSettings,
): ReportingSettings {
  const environment = environmentOf(own, place) ?? standard.environment;
  const sendsPersonalData = flagOf(own, 'send_personal_data', place, standard.sendsPersonalData);
  return {
    ...standard,
    // One whose reference is empty must not go to the project of the others.
    dsn: own['dsn'] === '' ? undefined : (dsnOf(own, place) ?? standard.dsn),
    environment,
    sendsPersonalData,
    sendsBodySize: sendsPersonalData && hasSmallBodies(fields),
    sampleRate: numberOf(own, 'sample_rate', place, { ...SHARES.sample_rate, default: standard.sampleRate }),
    minimumSeverity: minimumSeverityOf(own, place) ?? standard.minimumSeverity,
    tracing: overriddenTracingOf(own, place, standard.tracing, traceRateOf(fields, environment)),
  };
}

function overriddenTracingOf(
  own: Fields,
  place: string,
  standard: TracingSettings | undefined,
  environmentRate: number,
): TracingSettings | undefined {
  const { between } = TRACES_SAMPLE_RATES.other;
  const sampleRate = numberOf(own, 'traces_sample_rate', place, { default: environmentRate, between });
  const slowMs = wholeOf(own, 'traces_slow_ms', place, {
    ...SENTRY_TIMES_MS.traces_slow_ms,
    default: standard?.slowMs ?? SENTRY_TIMES_MS.traces_slow_ms.default,
  });
  return standard && { ...standard, sampleRate, slowMs };
}

function ruleOf(value: unknown, index: number, errorTypes: readonly string[]): BeforeSendRule {
  const place = `sentry.before_send[${index}]`;
  const fields = recordOf(value);
  const isDropped = flagOf(fields, 'drop', place, false);
  const level = wordOf(fields, 'level', place, LEVELS);
  const fingerprint = isSet(fields['fingerprint'])
    ? readFingerprint(fields['fingerprint'], `${place}.fingerprint`)
    : undefined;
  const tags = tagsOf(fields['tags'], `${place}.tags`);
  const isRewritten = level !== undefined || fingerprint !== undefined || Object.keys(tags).length > 0;
  if (isDropped === isRewritten) {
    const found = isDropped ? 'both' : 'neither';
    throw new Error(
      `gatewatch: ${place}: expected either drop: true or one of level, fingerprint and tags, found ${found}`,
    );
  }
  return {
    when: {
      service: labelOf(fields, 'service', place),
      operation: labelOf(fields, 'operation', place),
      errorType: errorTypeOf(fields, place, errorTypes),
      status: isSet(fields['status'])
        ? wholeOf(fields, 'status', place, { default: 0, between: [100, 999] })
        : undefined,
      source: wordOf(fields, 'source', place, SOURCES),
      severity: wordOf(fields, 'severity', place, SEVERITIES),
    },
    isDropped,
    level,
    fingerprint,
    tags,
  };
}

function errorTypeOf(fields: Fields, place: string, known: readonly string[]): string | undefined {
  const errorType = labelOf(fields, 'error_type', place);
  if (errorType === undefined || known.includes(errorType)) return errorType;
  return refuse(`${place}.error_type`, `one of ${known.join(', ')}`, errorType);
}

/** Kong's JSON has an empty map as a list. */
function tagsOf(value: unknown, place: string): Record<string, string> {
  if (!isSet(value) || (Array.isArray(value) && value.length === 0)) return {};
  if (typeof value !== 'object' || Array.isArray(value)) refuse(place, 'names with texts', value);
  return Object.fromEntries(
    Object.entries(value as Fields).map(([name, tag]): [string, string] => {
      if (!/^[\w.:-]+$/.test(name) || name.length > MAX_TAG_LENGTH) {
        const expected = `names of at most ${MAX_TAG_LENGTH} letters, digits, _, ., : and -`;
        refuse(place, expected, name);
      }
      if (typeof tag !== 'string' || tag === '' || tag.length > MAX_TAG_LENGTH || /\p{Cc}/u.test(tag)) {
        refuse(`${place}.${name}`, `a text of one line and at most ${MAX_TAG_LENGTH} characters`, tag);
      }
      return [name, tag];
    }),
  );
}

function governorOf(fields: Fields): GovernorSettings {
  const limit = (name: keyof typeof GOVERNOR_LIMITS): number =>
    wholeOf(fields, name, 'sentry.governor', GOVERNOR_LIMITS[name]);
  return {
    issue: { burst: limit('issue_burst'), perMinute: limit('issue_events_per_minute') },
    total: { burst: limit('total_burst'), perMinute: limit('total_events_per_minute') },
    transactions: { burst: limit('transaction_burst'), perMinute: limit('transactions_per_minute') },
  };
}

/** The plugin's own word first, then the variable's: as with the SDK's option `spotlight`. */
function spotlightUrlOf(fields: Fields, variable: string | undefined): string | undefined {
  const configured = urlOf(
    textOf(fields, 'spotlight_url', 'sentry') ?? STANDARD_SPOTLIGHT_URL,
    'sentry.spotlight_url',
  );
  const isWanted = isSet(fields['spotlight']) ? flagOf(fields, 'spotlight', 'sentry', false) : undefined;
  if (isWanted === false) return undefined;
  const word = variable?.toLowerCase() ?? '';
  if (word === '' || OFF_WORDS.includes(word)) return isWanted === true ? configured : undefined;
  if (ON_WORDS.includes(word)) return configured;
  return urlOf(variable ?? '', 'SENTRY_SPOTLIGHT');
}

function urlOf(text: string, place: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new Error(
      `gatewatch: ${place}: expected http://host:port/path, without a user or a password, found something else`,
    );
  }
  return text;
}

function dsnOf(fields: Fields, place: string): string | undefined {
  const dsn = fields['dsn'];
  // A reference that Kong could not resolve, or whose variable is empty.
  if (!isSet(dsn) || dsn === '') return undefined;
  return checkDsn(typeof dsn === 'string' ? dsn : '', `${place}.dsn`);
}

function environmentOf(fields: Fields, place: string): string | undefined {
  const text = textOf(fields, 'environment', place);
  if (text === undefined) return undefined;
  if (text === RESERVED_ENVIRONMENT || text.length > MAX_ENVIRONMENT_LENGTH || /[\s/\p{Cc}]/u.test(text)) {
    const expected = `at most ${MAX_ENVIRONMENT_LENGTH} characters without spaces and slashes, and not ${RESERVED_ENVIRONMENT}`;
    refuse(`${place}.environment`, expected, text);
  }
  return text;
}

function releaseOf(fields: Fields): string | undefined {
  const text = textOf(fields, 'release', 'sentry');
  if (text === undefined) return undefined;
  const isReserved = RESERVED_RELEASES.some((reserved) => reserved === text);
  if (isReserved || text.length > MAX_RELEASE_LENGTH || /[/\\\p{Cc}]/u.test(text)) {
    const expected = `at most ${MAX_RELEASE_LENGTH} characters of one line without slashes, and not only dots or a space`;
    refuse('sentry.release', expected, text);
  }
  return text;
}

function hasSmallBodies(fields: Fields): boolean {
  return (wordOf(fields, 'request_bodies', 'sentry', REQUEST_BODIES) ?? STANDARD_REQUEST_BODIES) === 'small';
}

function minimumSeverityOf(fields: Fields, place: string): Severity | undefined {
  return wordOf(fields, 'minimum_severity', place, SEVERITIES);
}

function labelOf(fields: Fields, name: string, place: string): string | undefined {
  const text = textOf(fields, name, place);
  return text === undefined ? undefined : labelText(text);
}
