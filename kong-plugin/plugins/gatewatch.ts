// What Kong's plugin server loads: the only file of its folder, since every file there is taken for a plugin. Nothing
// happens at import: Kong runs the query command and waits for its output to end.
import { endOnSignal } from '../end-on-signal';
import { observe } from '../observation';
import type { NamedStatus } from '../error-type';
import { logToStderr } from '../plugin-log';
import { PLUGIN_SCHEMA } from '../plugin-schema';
import { PLUGIN_VERSION } from '../plugin-version';
import { readSettings, type DeliverySettings } from '../read-settings';
import type { Recorder } from '../recorder';
import { recorderKey, RecorderRegistry } from '../recorder-registry';
import { ReporterRegistry } from '../sentry/reporter-registry';
import type { SentryReporter } from '../sentry/sentry-reporter';
import type { SentrySettings } from '../sentry/settings/sentry-settings';
import { readWorkerRestarts } from '../worker-restarts';

/** The one call of Kong's PDK that is used. Its own typings say that it gives an object; it gives JSON text. */
interface KongPdk {
  readonly log: { serialize(): Promise<unknown> };
}

const recorders = new RecorderRegistry(logToStderr, readWorkerRestarts(process.env));
const reporters = new ReporterRegistry(logToStderr);

/** What waits for Sentry first: the last batch tells what it came to. */
async function end(): Promise<void> {
  await reporters.close();
  await recorders.close();
}

/** One instance of the plugin: Kong makes one for each worker and configuration. */
class GatewatchPlugin {
  readonly #delivery: DeliverySettings;
  readonly #sentry: SentrySettings | undefined;
  readonly #namedStatuses: readonly NamedStatus[];
  #recorder: Recorder;
  #reporter: SentryReporter | undefined;

  /** @throws Error for the operator, which Kong writes into its error log */
  constructor(config: unknown) {
    const { delivery, namedStatuses, sentry, sentryFault } = readSettings(config, process.env);
    if (sentryFault !== undefined)
      logToStderr('error', 'nothing is reported to Sentry until its settings are mended; all else works', {
        reason: sentryFault,
      });
    if (recorders.isEmpty) endOnSignal(end);
    this.#namedStatuses = namedStatuses;
    this.#delivery = delivery;
    this.#sentry = sentry;
    this.#recorder = recorders.recorderFor(delivery);
    this.#reporter = this.#findReporter();
  }

  /** The log phase, as the stock server runs it after the client has its answer. */
  async log(kong: KongPdk): Promise<void> {
    this.takeLog(await kong.log.serialize().catch(() => undefined));
  }

  /** The same without a promise, as our own host runs it. A log that Kong fails to give is counted all the same. */
  takeLog(text: unknown): void {
    const observation = observe(text, this.#namedStatuses);
    this.#livingRecorder.observe(observation);
    if (this.#reporter?.hasLeft) this.#reporter = this.#findReporter();
    this.#reporter?.take(text, observation);
  }

  get #livingRecorder(): Recorder {
    if (this.#recorder.hasLeft) this.#recorder = recorders.recorderFor(this.#delivery);
    return this.#recorder;
  }

  #findReporter(): SentryReporter | undefined {
    return (
      this.#sentry &&
      reporters.reporterFor(this.#sentry, recorderKey(this.#delivery), (category, outcome, count) =>
        this.#livingRecorder.countSentry(category, outcome, count),
      )
    );
  }
}

export const Plugin = GatewatchPlugin;
export const Name = 'gatewatch';
export const Version = PLUGIN_VERSION;
/** Among Kong's own log plugins (http-log 12, statsd 11); in the log phase the order does not matter to others. */
export const Priority = 10;
export const Schema = PLUGIN_SCHEMA;
