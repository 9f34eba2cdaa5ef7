// What Kong's plugin server loads: the only file of its folder, since every file there is taken for a plugin. Nothing
// happens at import: Kong runs the query command and waits for its output to end.
import { endOnSignal } from '../end-on-signal';
import { observe } from '../observation';
import type { NamedStatus } from '../error-type';
import { logToStderr } from '../plugin-log';
import { PLUGIN_SCHEMA } from '../plugin-schema';
import { readSettings, type DeliverySettings } from '../read-settings';
import type { Recorder } from '../recorder';
import { RecorderRegistry } from '../recorder-registry';
import { readWorkerRestarts } from '../worker-restarts';

/** The one call of Kong's PDK that is used. Its own typings say that it gives an object; it gives JSON text. */
interface KongPdk {
  readonly log: { serialize(): Promise<unknown> };
}

const registry = new RecorderRegistry(logToStderr, readWorkerRestarts(process.env));

/** One instance of the plugin: Kong makes one for each worker and configuration. */
class GatewatchPlugin {
  readonly #delivery: DeliverySettings;
  #recorder: Recorder;
  readonly #namedStatuses: readonly NamedStatus[];

  /** @throws Error for the operator, which Kong writes into its error log */
  constructor(config: unknown) {
    const { delivery, namedStatuses } = readSettings(config);
    if (registry.isEmpty) endOnSignal(() => registry.close());
    this.#namedStatuses = namedStatuses;
    this.#delivery = delivery;
    this.#recorder = registry.recorderFor(delivery);
  }

  /** The log phase, as the stock server runs it after the client has its answer. */
  async log(kong: KongPdk): Promise<void> {
    this.takeLog(await kong.log.serialize().catch(() => undefined));
  }

  /** The same without a promise, as our own host runs it. A log that Kong fails to give is counted all the same. */
  takeLog(text: unknown): void {
    if (this.#recorder.hasLeft) this.#recorder = registry.recorderFor(this.#delivery);
    this.#recorder.observe(observe(text, this.#namedStatuses));
  }
}

export const Plugin = GatewatchPlugin;
export const Name = 'gatewatch';
export const Version = '0.1.0';
/** Among Kong's own log plugins (http-log 12, statsd 11); in the log phase the order does not matter to others. */
export const Priority = 10;
export const Schema = PLUGIN_SCHEMA;
