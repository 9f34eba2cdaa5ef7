// One reporter for each configuration of Sentry and sidecar in a process, however many instances there are. Nothing of Sentry is
// loaded before the first one: that takes 150 ms and 32 MB, which Kong's query command and a plugin without Sentry do not pay.
import { createRequire } from 'node:module';
import type { PluginLog } from '../plugin-log';
import { SharedByKey } from '../shared-by-key';
import type { CountSentryOutcome } from './sentry-outcome';
import type * as SentryReporting from './sentry-reporter';
import type { SentrySettings } from './settings/sentry-settings';

/** An import would load it at the start, and an import() too late for the instance that needs it. */
const load = createRequire(__filename);

export class ReporterRegistry {
  readonly #reporters: SharedByKey<SentryReporting.SentryReporter>;

  constructor(
    private readonly log: PluginLog,
    unusedAfterMs?: number,
  ) {
    this.#reporters = new SharedByKey((reporter) => this.#endUnused(reporter), unusedAfterMs);
  }

  /**
   * @param sidecar tells the sidecars of instances apart, since each counts the outcomes of its own
   * @param count of the instance that asks first
   */
  reporterFor(
    settings: SentrySettings,
    sidecar: string,
    count: CountSentryOutcome,
  ): SentryReporting.SentryReporter {
    const key = JSON.stringify([{ ...settings, services: [...settings.services] }, sidecar]);
    return this.#reporters.thingFor(key, () => {
      const { SentryReporter } = load('./sentry-reporter') as typeof SentryReporting;
      return new SentryReporter(settings, this.log, count);
    });
  }

  /** Where it had the profiler, the newest that wants it goes on with the profile. */
  #endUnused(reporter: SentryReporting.SentryReporter): void {
    void reporter.close();
    for (const other of this.#reporters.all.reverse()) other.profile();
  }

  /** Sends what there is, each reporter within its shutdown timeout. What is taken later ends as failed. */
  async close(): Promise<void> {
    await Promise.all(this.#reporters.all.map((reporter) => reporter.close()));
  }
}
