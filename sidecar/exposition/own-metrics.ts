// The sidecar's own figures that are counted while it runs, in a prom-client registry of its own, with the process metrics.
// They begin at 0 with each start; what must outlive a restart is in the ledger.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { FAULT_CODES } from '../../kong-plugin/contract/fault';
import { REFUSALS } from './refusal';

export type OwnMetrics = ReturnType<typeof createOwnMetrics>;

/** Gauges that prom-client names as if they were counters. The same figures, by type, have right names. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export function createOwnMetrics(version: string) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);

  new Gauge({
    name: 'gatewatch_build_info',
    help: 'Always 1; the release is in the label',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);

  const batches = new Counter({
    name: 'gatewatch_batches_total',
    help: 'Batches received, by what became of them: applied, duplicate, or why they were refused',
    labelNames: ['result'] as const,
    registers,
  });
  for (const result of ['applied', 'duplicate', ...FAULT_CODES]) batches.inc({ result }, 0);

  const refusedRequests = new Counter({
    name: 'gatewatch_http_refused_requests_total',
    help: 'Requests refused before they were read to their end, by why',
    labelNames: ['reason'] as const,
    registers,
  });
  for (const reason of REFUSALS) refusedRequests.inc({ reason }, 0);

  return {
    registry,
    batches,
    refusedRequests,
    droppedConnections: new Counter({
      name: 'gatewatch_http_dropped_connections_total',
      help: 'Connections that were closed at once, because as many were open as the sidecar takes',
      registers,
    }),
    brokenOffScrapes: new Counter({
      name: 'gatewatch_http_broken_off_scrapes_total',
      help: 'Answers of /metrics that were ended because their clients did not read them and newer scrapes came',
      registers,
    }),
    failedHandshakes: new Counter({
      name: 'gatewatch_http_failed_handshakes_total',
      help: 'Connections that ended before TLS was agreed on, those with a bad client certificate included',
      registers,
    }),
    missingBatches: new Counter({
      name: 'gatewatch_missing_batches_total',
      help: 'Gaps in the sequence numbers of a producer: batches it set aside, or that were lost',
      registers,
    }),
    foldedRequests: new Counter({
      name: 'gatewatch_series_folded_requests_total',
      help: 'Requests counted under __other__ because the series cap was reached',
      registers,
    }),
    applyDurationSeconds: new Histogram({
      name: 'gatewatch_ledger_apply_duration_seconds',
      help: 'Time to count a batch and flush it to disk',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    }),
    notificationTrySeconds: new Histogram({
      name: 'gatewatch_notification_try_duration_seconds',
      help: 'Time of one try to deliver a notification, by how it ended: sent, retry or refused',
      labelNames: ['channel', 'outcome'] as const,
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    notificationDeliverySeconds: new Histogram({
      name: 'gatewatch_notification_delivery_duration_seconds',
      help: 'Time from a notification until its end on a channel, waits and repeated tries included, by how it ended',
      labelNames: ['channel', 'outcome'] as const,
      buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600],
      registers,
    }),
    evaluationRounds: new Counter({
      name: 'gatewatch_evaluation_rounds_total',
      help: 'Rounds in which every rule was judged, by whether they ended well',
      labelNames: ['result'] as const,
      registers,
    }),
    evaluationDurationSeconds: new Histogram({
      name: 'gatewatch_evaluation_duration_seconds',
      help: 'Time of a round of all rules',
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
      registers,
    }),
    configReloadSuccessful: new Gauge({
      name: 'gatewatch_config_last_reload_successful',
      help: '1 if the configuration file was good when it was last read; 0: the one before it is still used',
      registers,
    }),
    configReloadSuccessTimestampSeconds: new Gauge({
      name: 'gatewatch_config_last_reload_success_timestamp_seconds',
      help: 'When the configuration in use was read, Unix seconds',
      registers,
    }),
  };
}
