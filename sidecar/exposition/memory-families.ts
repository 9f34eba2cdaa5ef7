// What the alerts' memory says of itself.
import type { MemoryStore } from '../memory/memory-store';
import type { MetricFamily } from './metric-family';
import { single } from './sidecar-families';

export function memoryFamilies(store: MemoryStore): MetricFamily[] {
  return [
    single(
      'gauge',
      'gatewatch_alert_memory_writable',
      "1 if the alerts' memory can be made durable; 0: alerting goes on, and a restart begins with what is on disk",
      store.fault === undefined ? 1 : 0,
    ),
    single(
      'counter',
      'gatewatch_alert_memory_failed_commits_total',
      'Writes of the memory of alerts since the start that failed; the next one had what was in them',
      store.failedCommits,
    ),
    single('gauge', 'gatewatch_alert_memory_bytes', "Size of the alerts' memory on disk", store.bytes),
  ];
}
