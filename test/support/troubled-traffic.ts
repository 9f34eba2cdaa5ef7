// Traffic for which rules fire at once, and a configuration with such rules.
import type { Delta } from '../../kong-plugin/contract/delta';
import { deltaOf } from './batches';

/** Judged once a second; an error rate is critical, a latency a warning, and a second latency is pending for a day. */
export const EAGER_RULES = [
  'evaluation_interval: 1s',
  'rules:',
  '  - { name: error_rate, error_rate_threshold: 0.01, for: 0s, severity: critical }',
  '  - { name: latency, p95_latency_ms: 500, for: 0s }',
  '  - { name: slow_for_long, p95_latency_ms: 500, for: 1d, severity: info }',
  'notifications: { group_by: [], group_interval: 0s }',
].join('\n');

/** Half of the requests of `checkout` fail, those of `search` are slow, those of `orders` are well. */
export function troubledTraffic(): Delta[] {
  const failed = deltaOf(
    {
      service: 'checkout',
      operation: 'POST pay',
      status: 502,
      errorType: 'upstream_unreachable',
      severity: 'error',
    },
    Array<number>(50).fill(30),
  );
  failed.failedTries.set(502, 50);
  failed.failedAddresses.set('10.0.0.7:8080', 50);
  return [
    failed,
    deltaOf({ service: 'checkout', operation: 'POST pay' }, Array<number>(50).fill(30)),
    deltaOf({ service: 'search', operation: 'GET find' }, Array<number>(100).fill(900)),
    deltaOf({ service: 'orders' }, Array<number>(100).fill(20)),
  ];
}
