// How the plugin reports to Sentry: the `sentry` record of its configuration after every check, in the units the steps use.
// Plain data. What a service overrides is already merged into its own copy.
import type { Severity } from '../../contract/severity';
import type { Source } from '../../contract/source';

/** One name of a placeholder in a fingerprint, or of a condition; all are fields of the observation. */
export const EVENT_FIELDS = ['service', 'operation', 'error_type', 'status', 'source', 'severity'] as const;
export type EventField = (typeof EVENT_FIELDS)[number];

/** A part of a fingerprint: a text, or the value of a field. */
export type FingerprintPart = string | { readonly field: EventField };
export type FingerprintTemplate = readonly FingerprintPart[];

/** One of Sentry's levels. */
export const LEVELS = ['fatal', 'error', 'warning', 'info', 'debug'] as const;
export type Level = (typeof LEVELS)[number];

/** A rule of `before_send`: every condition that is there must hold. Drops the event, or rewrites fields of it. */
export interface BeforeSendRule {
  readonly when: {
    readonly service: string | undefined;
    readonly operation: string | undefined;
    readonly errorType: string | undefined;
    readonly status: number | undefined;
    readonly source: Source | undefined;
    readonly severity: Severity | undefined;
  };
  readonly isDropped: boolean;
  readonly level: Level | undefined;
  readonly fingerprint: FingerprintTemplate | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** A token bucket: so many at once, then so many a minute. */
export interface Rate {
  readonly burst: number;
  readonly perMinute: number;
}

export interface GovernorSettings {
  /** Of one fingerprint. */
  readonly issue: Rate;
  /** Of all error events of a DSN. */
  readonly total: Rate;
  /** Of all transactions of a DSN. */
  readonly transactions: Rate;
}

export interface TracingSettings {
  /** 0 to 1: of the requests that are neither errors nor slow, and whose parent says nothing. */
  readonly sampleRate: number;
  /** Upstream and gateway time from which a request is slow, ms. */
  readonly slowMs: number;
  /** Whether the sampling decision of a caller is taken over. */
  readonly followsParent: boolean;
}

/** What holds for the requests of one service. */
export interface ReportingSettings {
  /** Checked; a secret in so far as it is not to be printed. `undefined`: only Spotlight gets what is reported. */
  readonly dsn: string | undefined;
  readonly environment: string;
  readonly release: string;
  readonly sendsPersonalData: boolean;
  /** The declared size of a request's body is sent, together with personal data. */
  readonly sendsBodySize: boolean;
  /** 0 to 1, of the error events. */
  readonly sampleRate: number;
  readonly minimumSeverity: Severity;
  readonly fingerprint: FingerprintTemplate;
  readonly beforeSend: readonly BeforeSendRule[];
  /** `undefined`: no traces. */
  readonly tracing: TracingSettings | undefined;
}

export interface SentrySettings {
  readonly standard: ReportingSettings;
  /** By service name; everything that is not overridden is as in `standard`. */
  readonly services: ReadonlyMap<string, ReportingSettings>;
  readonly governor: GovernorSettings;
  /** Where Spotlight takes envelopes, such as http://127.0.0.1:8969/stream; `undefined`: not used. */
  readonly spotlightUrl: string | undefined;
  /** 0 to 1: the share of processes that are profiled. 0 without `continuous_profiling_auto_start`. */
  readonly profileSessionSampleRate: number;
  /** How long the end of the plugin server waits for what is not sent yet, ms. */
  readonly shutdownTimeoutMs: number;
}
