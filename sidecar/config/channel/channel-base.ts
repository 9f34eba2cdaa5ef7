// What every channel has in gatewatch.yml, whatever it sends through.
import {
  DEFAULT_CHANNEL_TIMEOUT_MS,
  DEFAULT_DEADLINE_MS,
  DEFAULT_MAX_IN_FLIGHT,
  DEFAULT_MAX_PER_MINUTE,
} from '../default-config';
import { duration, HOUR_MS, MINUTE_MS, name, NAME_ERROR, orEmpty, SECOND_MS, wholeNumber } from '../fields';
import type { Secret } from '../secret';

export const CHANNEL_TYPES = ['slack', 'email', 'pagerduty', 'webhook', 'alertmanager', 'sentry'] as const;

/** How a channel is sent to, and what becomes of what it does not take. */
export interface DeliverySettings {
  /** From when a notification was made, ms: it is tried no longer. */
  readonly deadlineMs: number;
  /** The channel that is told in its place; `undefined`: none. */
  readonly fallback: string | undefined;
  /** Tries at a time. */
  readonly maxInFlight: number;
  /** Tries, of the rate at which they begin. */
  readonly maxPerMinute: number;
}

export interface ChannelBase {
  /** Unique; the `channel` label of the metrics. */
  readonly name: string;
  /** Of one try. */
  readonly timeoutMs: number;
  readonly delivery: DeliverySettings;
}

/** The keys that all have beside their name and type. */
export const deliveryKeys = {
  timeout: duration(SECOND_MS, MINUTE_MS).default(DEFAULT_CHANNEL_TIMEOUT_MS),
  deadline: duration(10 * SECOND_MS, HOUR_MS).default(DEFAULT_DEADLINE_MS),
  fallback: orEmpty(name, NAME_ERROR),
  max_in_flight: wholeNumber(1, 16).default(DEFAULT_MAX_IN_FLIGHT),
  max_per_minute: wholeNumber(1, 6_000).optional(),
};

/** What the form of every channel gives. */
interface BaseDocument {
  readonly name: string;
  readonly type: (typeof CHANNEL_TYPES)[number];
  readonly timeout: number;
  readonly deadline: number;
  readonly fallback?: string | null | undefined;
  readonly max_in_flight: number;
  readonly max_per_minute?: number | undefined;
}

/** Of whoever vouches for a receiver, in place of those that Node.js knows. */
export interface CertificateAuthority {
  /** As the configuration names it. */
  readonly file: string;
  readonly pem: string;
}

/** The secrets and files of one channel, wherever they came from; `undefined` where there is none. */
export interface ChannelSources {
  readonly secret: (key: string) => Secret | undefined;
  /** The content of the file that a key such as `ca_file` names. */
  readonly file: (key: string) => string | undefined;
}

export function baseOf(document: BaseDocument): ChannelBase {
  const { name: ownName, type, timeout, deadline, fallback, max_in_flight, max_per_minute } = document;
  return {
    name: ownName,
    timeoutMs: timeout,
    delivery: {
      deadlineMs: deadline,
      fallback: fallback ? fallback : undefined,
      maxInFlight: max_in_flight,
      maxPerMinute: max_per_minute ?? DEFAULT_MAX_PER_MINUTE[type],
    },
  };
}

/** Of a channel's `ca_file`; `undefined` where it has none. */
export function authorityOf(
  { ca_file: file }: { readonly ca_file?: string | null | undefined },
  sources: ChannelSources,
): CertificateAuthority | undefined {
  const pem = file ? sources.file('ca_file') : undefined;
  return file && pem !== undefined ? { file, pem } : undefined;
}
