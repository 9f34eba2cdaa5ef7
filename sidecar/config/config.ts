// What the sidecar was told to do: gatewatch.yml after every check, in the units the steps use. Plain data, frozen.
import type { ChannelSettings } from './channel/channel-settings';
import type { KongSettings, LinkSettings, NotificationPolicy } from './notification-policy';
import type { ExternalLabels } from './external-labels';
import { variantsOf, type Rule } from './rule';
import type { Secret } from './secret';
import type { WebConfig } from './web-config';

/** Where the sidecar listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

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

/** Where batches are kept for replays, and for how long. */
export interface RecordingSettings {
  /** Absolute. */
  readonly directory: string;
  readonly keepMs: number;
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
  /** `undefined`: nothing is recorded. */
  readonly recording: RecordingSettings | undefined;
  readonly evaluationIntervalMs: number;
  readonly rules: readonly Rule[];
  readonly channels: readonly ChannelSettings[];
  readonly notifications: NotificationPolicy;
  readonly externalLabels: ExternalLabels;
  readonly links: LinkSettings;
  readonly kong: KongSettings;
  readonly sentry: SentrySettings;
}

/** The histogram bounds (ms) that the rules need beside the standard ones: thresholds, T and 4T, each once, in no order. */
export function boundsOf(rules: readonly Rule[]): number[] {
  const bounds = rules.flatMap(variantsOf).flatMap((rule) => {
    if (rule.kind === 'latency') return rule.thresholds.map(({ value }) => value);
    if (rule.kind === 'apdex') return [rule.targetMs, 4 * rule.targetMs];
    return rule.kind === 'burn_rate' && rule.latencyMs !== undefined ? [rule.latencyMs] : [];
  });
  return [...new Set(bounds)];
}
