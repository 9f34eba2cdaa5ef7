// From the watch of Kong to its families: what each Kong said of itself, and how much of what all served was counted here.
import type { KongFacts } from '../kong/kong-facts';
import type { KongPolls } from '../kong/kong-watch';
import type { MetricFamily } from './metric-family';

/** Of the ratio where no rule has one. */
export const DEFAULT_OBSERVED_WINDOW_MS = 15 * 60_000;

/**
 * The ratio is not capped: a little over 1 is the second by which two counters differ, far over 1 is a Kong that reports
 * here and is not watched. It has no value while it is not known, or nothing was served.
 *
 * @param windowMs that of the rule for it, else DEFAULT_OBSERVED_WINDOW_MS
 */
export function kongFamilies(
  facts: KongFacts,
  polls: readonly KongPolls[],
  windowMs: number,
): MetricFamily[] {
  const { instances } = facts;
  const requests = facts.observed(windowMs);
  return [
    {
      name: 'gatewatch_observed_ratio',
      help: 'Requests that were counted here over those that all watched Kongs served for a service, in the window of its rule',
      type: 'gauge',
      samples:
        requests === undefined || requests.served === 0
          ? []
          : [{ labels: {}, value: requests.counted / requests.served }],
    },
    {
      name: 'gatewatch_kong_up',
      help: 'Whether a Kong answers on its status address: 1, or 0 after two questions in a row that it did not answer',
      type: 'gauge',
      samples: instances.flatMap(({ instance, isReachable }) =>
        isReachable === undefined ? [] : [{ labels: { instance }, value: Number(isReachable) }],
      ),
    },
    {
      name: 'gatewatch_kong_target_healthy',
      help: 'Whether a Kong has an address for a target that it would send to, 0 or 1; none of a Kong that does not answer',
      type: 'gauge',
      samples: instances.flatMap(({ instance, isReachable, targets }) =>
        isReachable === true
          ? targets.map(({ upstream, target, healthyAddresses }) => ({
              labels: { instance, upstream, target },
              value: healthyAddresses.length > 0 ? 1 : 0,
            }))
          : [],
      ),
    },
    {
      name: 'gatewatch_kong_polls_total',
      help: 'Questions to a Kong by how they ended; without_metrics: it lives, and does not say what it served',
      type: 'counter',
      samples: polls.flatMap(({ instance, counts }) =>
        Object.entries(counts).map(([result, value]) => ({ labels: { instance, result }, value })),
      ),
    },
  ];
}
