// What the sidecar was told to do: gatewatch.yml after every check, in the units the steps use. Plain data, frozen.
import type { Severity } from '../../kong-plugin/contract/severity';
import type { Secret } from './secret';
import type { WebConfig } from './web-config';

/** Where the sidecar listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

interface RuleBase {
  /** Unique; the `rule` label of the metrics and part of an alert's identity. */
  readonly name: string;
  /** How far back a round looks. */
  readonly windowMs: number;
  /** How long a breach must last before it fires; 0 fires at once. */
  readonly forMs: number;
  /** With fewer requests in the window the rule cannot tell. At least 1. */
  readonly minimumRequests: number;
  readonly severity: Severity;
}

/** Breached when the p95 of upstream times is over the threshold. */
export interface P95LatencyRule extends RuleBase {
  readonly kind: 'p95_latency';
  readonly p95LatencyMs: number;
}

/** Breached when the share of error-severity requests, 0 to 1, is over the threshold. */
export interface ErrorRateRule extends RuleBase {
  readonly kind: 'error_rate';
  readonly errorRateThreshold: number;
}

/** Breached when the Apdex score, 0 to 1, is under the threshold. */
export interface ApdexRule extends RuleBase {
  readonly kind: 'apdex';
  readonly apdexThreshold: number;
  /** T: satisfied up to T, tolerated up to 4T, frustrated above. */
  readonly apdexTargetMs: number;
}

export type Rule = P95LatencyRule | ErrorRateRule | ApdexRule;

interface ChannelBase {
  /** Unique; the `channel` label of the metrics. */
  readonly name: string;
  readonly timeoutMs: number;
}

/** An incoming webhook of Slack. */
export interface SlackChannelSettings extends ChannelBase {
  readonly type: 'slack';
  readonly webhookUrl: Secret;
}

/** A JSON document by POST. */
export interface WebhookChannelSettings extends ChannelBase {
  readonly type: 'webhook';
  /** A secret, since such addresses often carry a key. */
  readonly url: Secret;
}

/** An issue in the project of `sentry.dsn`, resolved when the alert ends. */
export interface SentryChannelSettings extends ChannelBase {
  readonly type: 'sentry';
  /** `undefined`: the issue stays until somebody resolves it. */
  readonly resolving: SentryApiSettings | undefined;
}

/** Sentry's web API, which resolves issues. */
export interface SentryApiSettings {
  readonly authToken: Secret;
  readonly organization: string;
  readonly project: string;
  /** Such as https://sentry.io, without a slash at its end. */
  readonly apiUrl: string;
}

export type ChannelSettings = SlackChannelSettings | WebhookChannelSettings | SentryChannelSettings;

/** What the sidecar tells Sentry of itself, and where. Without DSN and Spotlight nothing is told. */
export interface SentrySettings {
  readonly dsn: Secret | undefined;
  readonly environment: string;
  /** `undefined`: gatewatch@ and the version. */
  readonly release: string | undefined;
  /** 0 to 1, of the deliveries to channels. */
  readonly tracesSampleRate: number;
  /** 0 to 1: the share of processes that are profiled. */
  readonly profileSessionSampleRate: number;
  /** Whether a process that is to be profiled is, from its start to its end. */
  readonly isProfiledFromStart: boolean;
  /** Where Spotlight takes envelopes; `undefined`: not used. */
  readonly spotlightUrl: string | undefined;
  /** The slug of the monitor that the rounds check in with; `undefined`: none. */
  readonly monitor: string | undefined;
}

export interface Config {
  readonly listen: ListenAddress;
  /** The bearer token of batches and of reload; `undefined` only where the address is loopback or a unix socket. */
  readonly token: Secret | undefined;
  /** Passwords of the pages and TLS of the listener; `undefined` asks for none and has none. */
  readonly web: WebConfig | undefined;
  /** Absolute. */
  readonly dataDirectory: string;
  /** How many series the ledger takes before it folds new ones into `__other__`. */
  readonly seriesCap: number;
  readonly evaluationIntervalMs: number;
  readonly rules: readonly Rule[];
  readonly channels: readonly ChannelSettings[];
  readonly sentry: SentrySettings;
}

/** The histogram bounds (ms) that the rules need beside the standard ones: thresholds, T and 4T. */
export function boundsOf(rules: readonly Rule[]): number[] {
  return rules.flatMap((rule) => {
    if (rule.kind === 'p95_latency') return [rule.p95LatencyMs];
    if (rule.kind === 'apdex') return [rule.apdexTargetMs, 4 * rule.apdexTargetMs];
    return [];
  });
}
