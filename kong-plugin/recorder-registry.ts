// One recorder for each sidecar address and spool folder in a process. The newest settings win. At the end everything that the
// recorders have is delivered, or left in their spools.
import type { PluginLog } from './plugin-log';
import type { Left } from './producer';
import type { DeliverySettings } from './read-settings';
import { Recorder } from './recorder';
import { SharedByKey } from './shared-by-key';

/** What has the same has one recorder. */
export function recorderKey({ address, spoolDirectory }: DeliverySettings): string {
  return JSON.stringify([address.text, spoolDirectory]);
}

export class RecorderRegistry {
  readonly #recorders: SharedByKey<Recorder>;

  /** @param workerRestarts how often the host of this process has started its worker again; told to each sidecar */
  constructor(
    private readonly log: PluginLog,
    private readonly workerRestarts = 0,
    unusedAfterMs?: number,
  ) {
    this.#recorders = new SharedByKey((recorder) => this.#endUnused(recorder), unusedAfterMs);
  }

  get isEmpty(): boolean {
    return this.#recorders.all.length === 0;
  }

  recorderFor(settings: DeliverySettings): Recorder {
    const recorder = this.#recorders.thingFor(
      recorderKey(settings),
      () => new Recorder(settings, this.log, this.workerRestarts),
    );
    recorder.configure(settings);
    return recorder;
  }

  /**
   * Delivers what there is, each recorder within its shutdown timeout, leaves the rest in the spools, and says so. The process
   * must end with it: what is observed later is lost.
   */
  async close(): Promise<void> {
    const recorders = this.#recorders.all;
    await Promise.all(recorders.map((recorder) => recorder.deliverRest()));
    // At once for all: up to here each of them spools what comes.
    const left = recorders.flatMap((recorder) => recorder.leave());
    if (!this.#sayLeft('the plugin ends', left))
      this.log('info', 'the sidecar has everything; the plugin ends');
  }

  #endUnused(recorder: Recorder): void {
    void recorder.deliverRest().then(() => {
      this.#sayLeft('a recorder that nothing uses any more ends', recorder.leave());
    });
  }

  /** @returns whether there was anything */
  #sayLeft(what: string, left: readonly Left[]): boolean {
    const sum = (isKept: boolean): number =>
      left.reduce((requests, one) => requests + (one.isKept === isKept ? one.requests : 0), 0);
    if (sum(false) > 0)
      this.log('error', `${what}, and requests that could not be delivered are lost`, {
        requests: sum(false),
      });
    if (sum(true) > 0)
      this.log('warn', `${what}; requests that could not be delivered are in its spool`, {
        requests: sum(true),
      });
    return sum(true) + sum(false) > 0;
  }
}
