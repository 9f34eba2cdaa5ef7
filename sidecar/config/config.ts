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

export type ChannelSettings = SlackChannelSettings | WebhookChannelSettings;

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
}

/** The histogram bounds (ms) that the rules need beside the standard ones: thresholds, T and 4T. */
export function boundsOf(rules: readonly Rule[]): number[] {
  return rules.flatMap((rule) => {
    if (rule.kind === 'p95_latency') return [rule.p95LatencyMs];
    if (rule.kind === 'apdex') return [rule.apdexTargetMs, 4 * rule.apdexTargetMs];
    return [];
  });
}
