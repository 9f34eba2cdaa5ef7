// One recorder for each sidecar address in a process, however many instances there are: Kong makes one for each of its
// workers and each configuration, and again after a pause. The newest settings win.
import type { PluginLog } from './plugin-log';
import type { DeliverySettings } from './read-settings';
import { Recorder } from './recorder';

export class RecorderRegistry {
  readonly #byAddress = new Map<string, Recorder>();

  constructor(private readonly log: PluginLog) {}

  get isEmpty(): boolean {
    return this.#byAddress.size === 0;
  }

  recorderFor(settings: DeliverySettings): Recorder {
    const key = settings.address.text;
    const known = this.#byAddress.get(key);
    if (known) {
      known.configure(settings);
      return known;
    }
    const recorder = new Recorder(settings, this.log);
    this.#byAddress.set(key, recorder);
    return recorder;
  }

  /** Delivers what there is, each recorder within its shutdown timeout, and says what could not be delivered. */
  async close(): Promise<void> {
    const recorders = [...this.#byAddress.values()];
    await Promise.all(recorders.map((recorder) => recorder.close()));
    const requests = recorders.reduce((sum, recorder) => sum + recorder.undeliveredRequests, 0);
    if (requests === 0) this.log('info', 'everything was delivered; the plugin ends');
    else this.log('error', 'the plugin ends with requests that could not be delivered', { requests });
  }
}
