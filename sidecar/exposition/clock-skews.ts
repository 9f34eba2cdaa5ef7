// What each producer's clock was ahead of the sidecar's at its last batch: in memory, for as long as the ledger knows the
// producer, so that those of plugin servers that were replaced long ago do not add up.
import type { MetricFamily } from './metric-family';

export class ClockSkews {
  readonly #secondsOf = new Map<string, number>();

  /** @param known the producers that the ledger has, this one included */
  set(producer: string, seconds: number, known: ReadonlyMap<string, unknown>): void {
    this.#secondsOf.set(producer, seconds);
    for (const one of this.#secondsOf.keys()) if (!known.has(one)) this.#secondsOf.delete(one);
  }

  family(): MetricFamily {
    return {
      name: 'gatewatch_producer_clock_skew_seconds',
      help: "A producer's clock less the sidecar's at its last batch; its way over the network is in it",
      type: 'gauge',
      samples: [...this.#secondsOf].map(([producer, value]) => ({ labels: { producer }, value })),
    };
  }
}
