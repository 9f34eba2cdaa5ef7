// One recorder for each sidecar address and spool folder in a process, however many instances there are: Kong makes one for each
// of its workers and each configuration, and again after a pause. The newest settings win. A recorder that nobody uses since a
// newer one was made, as after a change of sidecar_url, is ended.
import type { PluginLog } from './plugin-log';
import type { Left } from './producer';
import type { DeliverySettings } from './read-settings';
import { Recorder } from './recorder';

/** Longer than Kong takes to replace its instances after a change of its configuration, and than an idle hour is short. */
const UNUSED_AFTER_MS = 3_600_000;

interface Entry {
  readonly recorder: Recorder;
  /** When an instance asked for it last, monotonic ms. */
  askedForAtMs: number;
  /** Its observations when it was looked at last. */
  events: number;
}

export class RecorderRegistry {
  readonly #byAddress = new Map<string, Entry>();

  /** @param workerRestarts how often the host of this process has started its worker again; told to each sidecar */
  constructor(
    private readonly log: PluginLog,
    private readonly workerRestarts = 0,
    private readonly unusedAfterMs = UNUSED_AFTER_MS,
  ) {}

  get isEmpty(): boolean {
    return this.#byAddress.size === 0;
  }

  recorderFor(settings: DeliverySettings): Recorder {
    const key = JSON.stringify([settings.address.text, settings.spoolDirectory]);
    const nowMs = performance.now();
    const known = this.#byAddress.get(key);
    if (known) {
      known.recorder.configure(settings);
      known.askedForAtMs = nowMs;
      return known.recorder;
    }
    const recorder = new Recorder(settings, this.log, this.workerRestarts);
    this.#byAddress.set(key, { recorder, askedForAtMs: nowMs, events: 0 });
    if (this.#byAddress.size === 2) this.#lookLater();
    return recorder;
  }

  /**
   * Delivers what there is, each recorder within its shutdown timeout, leaves the rest in the spools, and says so. The process
   * must end with it: what is observed later is lost.
   */
  async close(): Promise<void> {
    const recorders = [...this.#byAddress.values()].map(({ recorder }) => recorder);
    await Promise.all(recorders.map((recorder) => recorder.deliverRest()));
    // At once for all: up to here each of them spools what comes.
    const left = recorders.flatMap((recorder) => recorder.leave());
    if (!this.#sayLeft('the plugin ends', left))
      this.log('info', 'everything was delivered; the plugin ends');
  }

  #lookLater(): void {
    for (const entry of this.#byAddress.values()) entry.events = entry.recorder.events;
    setTimeout(() => this.#endUnused(), this.unusedAfterMs).unref();
  }

  /** The newest lives on, used or not: an idle gateway has no other. */
  #endUnused(): void {
    const nowMs = performance.now();
    for (const [key, { recorder, askedForAtMs, events }] of [...this.#byAddress].slice(0, -1)) {
      if (recorder.events > events || nowMs - askedForAtMs < this.unusedAfterMs) continue;
      this.#byAddress.delete(key);
      void recorder.deliverRest().then(() => {
        this.#sayLeft('a recorder that nothing uses any more ends', recorder.leave());
      });
    }
    if (this.#byAddress.size > 1) this.#lookLater();
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
