// What became of what the sidecar told Sentry of itself. Alerts that are issues are among the notifications.
import type { SentryCounts, SentryItem } from '../sentry/own-sentry';
import type { MetricFamily } from './metric-family';

const FAMILIES: Readonly<Record<SentryItem, readonly [name: string, what: string]>> = {
  event: ['gatewatch_sidecar_sentry_events_total', 'Faults of the sidecar itself'],
  transaction: ['gatewatch_sidecar_sentry_transactions_total', 'Traces of the sidecar itself'],
  check_in: ['gatewatch_sidecar_sentry_check_ins_total', 'Check-ins of the rounds of rules'],
  profile_chunk: ['gatewatch_sidecar_sentry_profile_chunks_total', 'Pieces of the profile of the sidecar'],
};

export function sentryFamilies(counts: SentryCounts): MetricFamily[] {
  return Object.entries(FAMILIES).map(([item, [name, what]]) => ({
    name,
    help: `${what}, by what became of them on the way to Sentry since the start`,
    type: 'counter',
    samples: Object.entries(counts[item as SentryItem]).map(([outcome, value]) => ({
      labels: { outcome },
      value,
    })),
  }));
}
