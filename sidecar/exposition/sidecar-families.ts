// From the sidecar's parts to the families that describe them: the ledger, the producers, rules and alerts.
// Read at the moment of the scrape, so there is no second copy to keep in step.
import type { ProducerStatistics } from '../../kong-plugin/contract/batch';
import { SENTRY_STATISTICS, type SentryStatistic } from '../../kong-plugin/contract/sentry-statistics';
import type { LedgerState } from '../ledger/ledger-state';
import type { MetricFamily } from './metric-family';

/** What the producers say of themselves, as counters that outlive a restart. */
const STATISTICS: Readonly<
  Record<Exclude<keyof ProducerStatistics, SentryStatistic>, readonly [name: string, help: string]>
> = {
  events: ['gatewatch_plugin_events_total', 'Events that Kong handed to the plugin'],
  malformedLogs: [
    'gatewatch_plugin_malformed_logs_total',
    'Events whose log could not be read, or lacked its status or the code of a failed try; 0 is counted in its place',
  ],
  clockFaults: [
    'gatewatch_plugin_clock_faults_total',
    'Events with an upstream time below 0, or above the 11.5 days that are counted in its place: a clock was set',
  ],
  failedSends: [
    'gatewatch_plugin_failed_sends_total',
    'Tries of the plugin to send a batch that ended without a receipt',
  ],
  refusedRequests: [
    'gatewatch_plugin_refused_requests_total',
    'Requests in batches that the sidecar refused for good; they are in no series',
  ],
  foldedRequests: [
    'gatewatch_plugin_folded_requests_total',
    'Requests that the plugin counted under __other__ because more series waited than it keeps',
  ],
  unspooledEvents: [
    'gatewatch_plugin_unspooled_events_total',
    'Events that no spool had when Kong was answered: had the plugin server been killed, they would have been lost',
  ],
  deaths: [
    'gatewatch_plugin_deaths_total',
    'Plugin server processes that were killed or crashed, by the spools that they left',
  ],
  damagedSpools: [
    'gatewatch_plugin_damaged_spools_total',
    'Spools that could not be read, or not to their end; what was in the rest is in no series',
  ],
  workerRestarts: [
    'gatewatch_plugin_worker_restarts_total',
    'Times that the plugin host started its worker again after it ended',
  ],
};

export function ledgerStateFamilies(state: Readonly<LedgerState>, seriesCap: number): MetricFamily[] {
  const statistics = (Object.keys(STATISTICS) as (keyof typeof STATISTICS)[]).map((name): MetricFamily => {
    const [family, help] = STATISTICS[name];
    return single('counter', family, help, state.statistics[name]);
  });
  return [
    ...statistics,
    outcomes(
      'gatewatch_sentry_events_total',
      'Error events for Sentry by how they ended; held_back ones are told of by the next event that goes',
      SENTRY_STATISTICS.error,
      state.statistics,
    ),
    outcomes(
      'gatewatch_sentry_transactions_total',
      'Transactions for Sentry by how they ended; those that were not sampled are not counted',
      SENTRY_STATISTICS.transaction,
      state.statistics,
    ),
    single('gauge', 'gatewatch_series', 'Series in the ledger', state.series.size),
    single(
      'gauge',
      'gatewatch_series_cap',
      'Series that the ledger takes before it folds new ones',
      seriesCap,
    ),
    single(
      'counter',
      'gatewatch_series_expired_total',
      'Series that left the ledger because nothing was added to them for 7 days',
      state.expiredSeries,
    ),
    {
      name: 'gatewatch_producer_last_batch_timestamp_seconds',
      help: 'When the last batch of a producer (a plugin server process) came, Unix seconds; none of those that ended in order',
      type: 'gauge',
      samples: [...state.producers.values()].flatMap(({ producer, lastSeenMs, hasLeft }) =>
        hasLeft ? [] : [{ labels: { producer }, value: lastSeenMs / 1000 }],
      ),
    },
  ];
}

/** Every outcome from the beginning, so that a rate of it is right from its first one. */
function outcomes(
  name: string,
  help: string,
  names: Readonly<Record<string, SentryStatistic>>,
  statistics: Readonly<ProducerStatistics>,
): MetricFamily {
  const samples = Object.entries(names).map(([outcome, statistic]) => ({
    labels: { outcome },
    value: statistics[statistic],
  }));
  return { name, help, type: 'counter', samples };
}

/** A family of one sample without labels. */
export function single(type: 'counter' | 'gauge', name: string, help: string, value: number): MetricFamily {
  return { name, help, type, samples: [{ labels: {}, value }] };
}
