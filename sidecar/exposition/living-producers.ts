// What each living producer's last batch told of its process and its clock: gauges, in memory. They leave with the producer's
// goodbye, or when it falls silent, so that those of plugin servers that were replaced do not add up.
import { PROCESS_FIGURES, type ProcessFigures } from '../../kong-plugin/contract/batch';
import { SILENT_AFTER_MS } from '../../kong-plugin/contract/heartbeat';
import type { Clock } from '../clock';
import type { MetricFamily } from './metric-family';

/** The lag is the longest of so long: between two scrapes, 15 s apart by custom, there are many batches. */
const LAG_WINDOW_MS = 60_000;

interface ProducerFigures {
  /** The producer's clock less the sidecar's. */
  readonly skewSeconds: number;
  readonly process: ProcessFigures | null;
  /** Those of the last minute that no later one passes, so the first is the longest. */
  readonly lags: readonly Lag[];
  readonly atMonotonicMs: number;
}

interface Lag {
  readonly ms: number;
  readonly atMonotonicMs: number;
}

const FAMILIES: Readonly<
  Record<keyof ProcessFigures, readonly [name: string, help: string, perUnit: number]>
> = {
  pendingRequests: [
    'gatewatch_plugin_pending_requests',
    'Requests that had no receipt yet when a plugin server made its last batch, those of the batch included',
    1,
  ],
  eventLoopLagMs: [
    'gatewatch_plugin_event_loop_lag_seconds',
    'The longest that the event loop of a plugin server came late in the last minute',
    1_000,
  ],
  residentMemoryBytes: [
    'gatewatch_plugin_resident_memory_bytes',
    'Resident memory of a plugin server at its last batch',
    1,
  ],
};

export class LivingProducers {
  readonly #byProducer = new Map<string, ProducerFigures>();

  constructor(private readonly clock: Clock) {}

  set(producer: string, skewSeconds: number, process: ProcessFigures | null): void {
    const atMonotonicMs = this.clock.monotonicMs();
    const ms = process?.eventLoopLagMs ?? 0;
    const before = this.#byProducer.get(producer)?.lags ?? [];
    const lags = [
      ...before.filter((lag) => lag.ms > ms && atMonotonicMs - lag.atMonotonicMs < LAG_WINDOW_MS),
      { ms, atMonotonicMs },
    ];
    const lagged = process && { ...process, eventLoopLagMs: lags[0]?.ms ?? ms };
    this.#byProducer.set(producer, { skewSeconds, process: lagged, lags, atMonotonicMs });
  }

  remove(producer: string): void {
    this.#byProducer.delete(producer);
  }

  families(): MetricFamily[] {
    const oldestMs = this.clock.monotonicMs() - SILENT_AFTER_MS;
    for (const [producer, { atMonotonicMs }] of this.#byProducer) {
      if (atMonotonicMs < oldestMs) this.#byProducer.delete(producer);
    }
    return [
      {
        name: 'gatewatch_producer_clock_skew_seconds',
        help: "A producer's clock, set when it started, less the sidecar's at its last batch; the batch's way over the network is in it",
        type: 'gauge',
        samples: [...this.#byProducer].map(([producer, { skewSeconds }]) => ({
          labels: { producer },
          value: skewSeconds,
        })),
      },
      ...PROCESS_FIGURES.map((figure) => this.#family(figure)),
    ];
  }

  #family(figure: keyof ProcessFigures): MetricFamily {
    const [name, help, perUnit] = FAMILIES[figure];
    return {
      name,
      help,
      type: 'gauge',
      samples: [...this.#byProducer].flatMap(([producer, { process }]) =>
        process ? [{ labels: { producer }, value: process[figure] / perUnit }] : [],
      ),
    };
  }
}
