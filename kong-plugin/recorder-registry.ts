// One recorder for each sidecar address and spool folder in a process, however many instances there are: Kong makes one for each of its
// workers and each configuration, and again after a pause. The newest settings win.
import type { PluginLog } from './plugin-log';
import type { DeliverySettings } from './read-settings';
import { Recorder } from './recorder';

export class RecorderRegistry {
  readonly #byAddress = new Map<string, Recorder>();

  /** @param workerRestarts how often the host of this process has started its worker again; told to each sidecar */
  constructor(
    private readonly log: PluginLog,
    private readonly workerRestarts = 0,
  ) {}

  get isEmpty(): boolean {
    return this.#byAddress.size === 0;
  }

  recorderFor(settings: DeliverySettings): Recorder {
    const key = JSON.stringify([settings.address.text, settings.spoolDirectory]);
    const known = this.#byAddress.get(key);
    if (known) {
      known.configure(settings);
      return known;
    }
    const recorder = new Recorder(settings, this.log, this.workerRestarts);
    this.#byAddress.set(key, recorder);
    return recorder;
  }

  /**
   * Delivers what there is, each recorder within its shutdown timeout, leaves the rest in the spools, and says so. The process
   * must end with it: what is observed later is lost.
   */
  async close(): Promise<void> {
    const recorders = [...this.#byAddress.values()];
    await Promise.all(recorders.map((recorder) => recorder.deliverRest()));
    // At once for all: up to here each of them spools what comes.
    const left = recorders.flatMap((recorder) => recorder.leave());
    const sum = (isKept: boolean): number =>
      left.reduce((requests, one) => requests + (one.isKept === isKept ? one.requests : 0), 0);
    if (sum(false) > 0)
      this.log('error', 'the plugin ends, and requests that could not be delivered are lost', {
        requests: sum(false),
      });
    if (sum(true) > 0)
      this.log('warn', 'the plugin ends; requests that could not be delivered are in its spool', {
        requests: sum(true),
      });
    if (sum(true) + sum(false) === 0) this.log('info', 'everything was delivered; the plugin ends');
  }
}
