// How a producer counts what became of its error events and transactions for Sentry: the name of each count among its statistics,
// by Sentry's category and by how it ended.

export const SENTRY_STATISTICS = {
  error: {
    sent: 'sentryEventsSent',
    held_back: 'sentryEventsHeldBack',
    rate_limited: 'sentryEventsRateLimited',
    failed: 'sentryEventsFailed',
    dropped: 'sentryEventsDropped',
    sampled_out: 'sentryEventsSampledOut',
  },
  transaction: {
    sent: 'sentryTransactionsSent',
    held_back: 'sentryTransactionsHeldBack',
    rate_limited: 'sentryTransactionsRateLimited',
    failed: 'sentryTransactionsFailed',
    dropped: 'sentryTransactionsDropped',
    sampled_out: 'sentryTransactionsSampledOut',
  },
} as const;

type ByCategory = typeof SENTRY_STATISTICS;

export type SentryStatistic =
  ByCategory['error'][keyof ByCategory['error']] | ByCategory['transaction'][keyof ByCategory['transaction']];
