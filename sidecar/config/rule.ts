// What is watched, as the rules of the sidecar are once gatewatch.yml was read. Shares and scores are 0 to 1, times whole ms.
import type { Severity } from '../../kong-plugin/contract/severity';

/** What a rule of the windows is judged for, each on its own. */
export const WINDOW_LEVELS = ['gateway', 'service', 'operation', 'error_type'] as const;

/** What the watch of Kong is judged for: one Kong, one target of an upstream. */
export const KONG_LEVELS = ['instance', 'target'] as const;

export type ScopeLevel = (typeof WINDOW_LEVELS)[number] | (typeof KONG_LEVELS)[number];

/** Only what has these very labels; without any, all. */
export interface ScopeMatch {
  readonly service?: string;
  readonly operation?: string;
  readonly errorType?: string;
}

/** A breach of `value` has this severity. */
export interface Threshold {
  readonly severity: Severity;
  readonly value: number;
}

interface RuleBase {
  /** Unique; the `rule` label of the metrics and part of an alert's identity. */
  readonly name: string;
  readonly each: ScopeLevel;
  readonly match: ScopeMatch;
  /** How far back a round looks. */
  readonly windowMs: number;
  /** How long a breach must last before it fires; 0 fires at once. */
  readonly forMs: number;
  /** How long an alert fires on after the breach has ended, in case it comes back. */
  readonly keepFiringForMs: number;
  readonly runbookUrl: string | undefined;
  /** For what they match, in place of the rule; the first that matches holds. `undefined`: not watched there. */
  readonly overrides: readonly { readonly match: ScopeMatch; readonly rule: Rule | undefined }[];
}

/** A rule that judges numbers. */
interface ThresholdRule extends RuleBase {
  /** The mildest first; at least one. A value at a threshold is no breach. */
  readonly thresholds: readonly Threshold[];
  /** A value at or on the good side of it is healthy; between it and the mildest threshold an alert stays as it is. */
  readonly resolveAt: number;
}

/** A rule whose numbers are samples of what happened: it breaches only where they leave no doubt. */
interface SampledRule extends ThresholdRule {
  /** One-sided, 0.5 to below 1: how sure a breach must be. `undefined`: the value alone decides. */
  readonly confidence: number | undefined;
  /** With fewer samples the rule cannot tell. At least 1. */
  readonly minimumRequests: number;
}

/** Breached when a quantile of the upstream times, in ms, is over a threshold. */
export interface LatencyRule extends SampledRule {
  readonly kind: 'latency';
  /** 0.95 for the p95. */
  readonly quantile: number;
}

/** Breached when the share of error-severity requests is over a threshold. */
export interface ErrorRateRule extends SampledRule {
  readonly kind: 'error_rate';
}

/** Breached when the Apdex score is under a threshold. */
export interface ApdexRule extends SampledRule {
  readonly kind: 'apdex';
  /** T: satisfied up to T, tolerated up to 4T, frustrated above. */
  readonly targetMs: number;
}

/** Breached when traffic has lost more than a share of what it was in the time before the window. */
export interface TrafficDropRule extends SampledRule {
  readonly kind: 'traffic_drop';
  /** The time before the window that it is compared with. */
  readonly baselineMs: number;
}

/** Breached when nothing came in the window, where at least `minimumRequests` came in the time before it. */
export interface TrafficAbsenceRule extends RuleBase {
  readonly kind: 'traffic_absence';
  readonly severity: Severity;
  readonly baselineMs: number;
  readonly minimumRequests: number;
}

/** Two windows that must both burn faster than `factor` times what the objective allows. */
export interface BurnRateWindow {
  readonly severity: Severity;
  readonly longMs: number;
  readonly shortMs: number;
  readonly factor: number;
}

/**
 * Breached when the error budget burns too fast in both windows of a row. `windowMs` is the longest of them.
 * What is bad: an error-severity request and, where `latencyMs` is given, an upstream time over it.
 */
export interface BurnRateRule extends RuleBase {
  readonly kind: 'burn_rate';
  /** The share of good requests that is aimed at: 0.999. */
  readonly objective: number;
  readonly latencyMs: number | undefined;
  /** The most severe first. */
  readonly windows: readonly BurnRateWindow[];
  readonly confidence: number | undefined;
  readonly minimumRequests: number;
}

/** Breached while a Kong does not answer on its status address; of the gateway, while none does. */
export interface KongUnreachableRule extends RuleBase {
  readonly kind: 'kong_unreachable';
  readonly severity: Severity;
}

/** Breached while a Kong has no healthy address for a target. */
export interface TargetUnhealthyRule extends RuleBase {
  readonly kind: 'target_unhealthy';
  readonly severity: Severity;
}

/** Breached when fewer requests were counted than Kong served: the plugin is silent, or loses some. */
export interface ObservedRatioRule extends ThresholdRule {
  readonly kind: 'observed_ratio';
  readonly confidence: number | undefined;
  readonly minimumRequests: number;
}

export type Rule =
  | LatencyRule
  | ErrorRateRule
  | ApdexRule
  | TrafficDropRule
  | TrafficAbsenceRule
  | BurnRateRule
  | KongUnreachableRule
  | TargetUnhealthyRule
  | ObservedRatioRule;

export type RuleKind = Rule['kind'];

/** The rule and what overrides give in its place. */
export function variantsOf(rule: Rule): Rule[] {
  return [rule, ...rule.overrides.flatMap(({ rule: other }) => other ?? [])];
}
