// How an error event or a transaction ended. Each ends in exactly one way, and is counted when it does.

export const SENTRY_OUTCOMES = [
  /** Sentry has answered 2xx. */
  'sent',
  /** By the governor, or by the full queue; the next event of its fingerprint tells how many. */
  'held_back',
  /** Sentry asked for a pause, and it would have fallen into it. */
  'rate_limited',
  /** Refused by Sentry, or not sent when the plugin server ended. */
  'failed',
  /** By a rule of `before_send`. */
  'dropped',
  /** By the sample rate of error events. */
  'sampled_out',
] as const;

export type SentryOutcome = (typeof SENTRY_OUTCOMES)[number];

/** What can have an outcome: Sentry's data categories. */
export type SentryCategory = 'error' | 'transaction';

/** Told of every outcome, once for each event. */
export type CountSentryOutcome = (category: SentryCategory, outcome: SentryOutcome, count: number) => void;
