// From the configuration that Kong hands to an instance to typed settings. Kong has checked it against the schema; this
// reads it without trust all the same, since a plugin server managed by hand may be given anything.
import { labelText } from './contract/label-text';
import { SEVERITIES } from './contract/severity';
import type { NamedStatus } from './error-type';
import { DEFAULT_SIDECAR_URL, DURATIONS_MS, MAX_SPOOL_DIR_BYTES } from './plugin-schema';
import { PLUGIN_VERSION } from './plugin-version';
import { readSentrySettings } from './sentry/settings/read-sentry-settings';
import type { SentrySettings } from './sentry/settings/sentry-settings';
import { readSidecarAddress, type SidecarAddress } from './sidecar-address';

export interface DeliverySettings {
  readonly address: SidecarAddress;
  readonly token: string | undefined;
  readonly flushIntervalMs: number;
  readonly requestTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  /** Absolute; `undefined` for a folder of the user's own in the system's folder for temporary files. */
  readonly spoolDirectory: string | undefined;
}

export interface PluginSettings {
  readonly delivery: DeliverySettings;
  readonly namedStatuses: readonly NamedStatus[];
  /** `undefined`: nothing is reported to Sentry. */
  readonly sentry: SentrySettings | undefined;
  /** What is wrong with the settings of Sentry, which is then off: requests are counted all the same. */
  readonly sentryFault: string | undefined;
}

/**
 * @param environment of the plugin server
 * @throws Error naming the setting, what was expected and what was found; not for those of Sentry
 */
export function readSettings(
  config: unknown,
  environment: Readonly<Record<string, string | undefined>> = {},
): PluginSettings {
  const fields = recordOf(config);
  const namedStatuses = (Array.isArray(fields['error_types']) ? fields['error_types'] : []).map(
    namedStatusOf,
  );
  const named = namedStatuses.map(({ errorType }) => errorType);
  return {
    delivery: {
      address: readSidecarAddress(fields['sidecar_url'] ?? DEFAULT_SIDECAR_URL),
      token: textOf(fields['sidecar_token']),
      flushIntervalMs: durationMsOf(fields, 'flush_interval_ms'),
      requestTimeoutMs: durationMsOf(fields, 'request_timeout_ms'),
      shutdownTimeoutMs: durationMsOf(fields, 'shutdown_timeout_ms'),
      spoolDirectory: directoryOf(fields['spool_dir']),
    },
    namedStatuses,
    ...readSentry(() => readSentrySettings(fields['sentry'], PLUGIN_VERSION, environment, named)),
  };
}

function readSentry(read: () => SentrySettings | undefined): Pick<PluginSettings, 'sentry' | 'sentryFault'> {
  try {
    return { sentry: read(), sentryFault: undefined };
  } catch (error) {
    return { sentry: undefined, sentryFault: error instanceof Error ? error.message : String(error) };
  }
}

function namedStatusOf(value: unknown, index: number): NamedStatus {
  const fields = recordOf(value);
  const errorType = textOf(fields['error_type']);
  const severity = SEVERITIES.find((known) => known === (fields['severity'] ?? 'error'));
  const { status } = fields;
  if (errorType === undefined || severity === undefined || !Number.isInteger(status)) {
    throw new Error(
      `gatewatch: error_types[${index}]: expected status, error_type and severity, found ${JSON.stringify(value)}`,
    );
  }
  return {
    service: textOf(fields['service']),
    status: Number(status),
    errorType: labelText(errorType),
    severity,
  };
}

function durationMsOf(fields: Record<string, unknown>, name: keyof typeof DURATIONS_MS): number {
  const {
    default: standard,
    between: [least, most],
  } = DURATIONS_MS[name];
  const value = fields[name] ?? standard;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new Error(
      `gatewatch: ${name}: expected a whole number from ${least} to ${most}, found ${JSON.stringify(value)}`,
    );
  }
  return value;
}

function directoryOf(value: unknown): string | undefined {
  const path = textOf(value);
  if (path !== undefined && (!path.startsWith('/') || Buffer.byteLength(path) > MAX_SPOOL_DIR_BYTES)) {
    throw new Error(
      `gatewatch: spool_dir: expected an absolute path of at most ${MAX_SPOOL_DIR_BYTES} bytes, found ${JSON.stringify(path)}`,
    );
  }
  return path;
}

/** Kong hands an unset field over as null, or not at all. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
