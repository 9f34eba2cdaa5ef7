// The plugin's own recorder in this process, as a producer under load: what it was given is known exactly.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observation } from '../../kong-plugin/observation';
import type { PluginLog } from '../../kong-plugin/plugin-log';
import { readSettings } from '../../kong-plugin/read-settings';
import { Recorder } from '../../kong-plugin/recorder';
import { endRecorder } from './end-recorder';
import { observationOf } from './observations';

export class Producer {
  readonly #recorder: Recorder;
  readonly #spoolDirectory = mkdtempSync(join(tmpdir(), 'gatewatch-spool-'));
  #timer: NodeJS.Timeout | undefined;
  /** Observations given so far, by status. */
  readonly given = new Map<number, number>();

  constructor(config: Record<string, unknown>, log: PluginLog = () => undefined) {
    this.#recorder = new Recorder(
      readSettings({
        flush_interval_ms: 100,
        request_timeout_ms: 1_000,
        shutdown_timeout_ms: 60_000,
        spool_dir: this.#spoolDirectory,
        ...config,
      }).delivery,
      log,
    );
  }

  get total(): number {
    return [...this.given.values()].reduce((sum, count) => sum + count, 0);
  }

  observe(status = 200, change: Partial<Observation> = {}): void {
    this.given.set(status, (this.given.get(status) ?? 0) + 1);
    this.#recorder.observe(observationOf({ status, upstreamMs: status % 97, ...change }));
  }

  /** Gives observations at a steady rate, over a few series. */
  start(perSecond: number): void {
    this.pause();
    let next = 0;
    this.#timer = setInterval(() => {
      for (let one = 0; one < perSecond / 50; one++) this.observe(200 + (next++ % 7));
    }, 20);
  }

  /** Stops giving until it is started again. */
  pause(): void {
    clearInterval(this.#timer);
  }

  /** Observations that have no receipt yet. */
  get undelivered(): number {
    return this.#recorder.undeliveredRequests;
  }

  /** Stops giving, delivers everything; the number of observations that could not be delivered. */
  async close(): Promise<number> {
    this.pause();
    const undelivered = await endRecorder(this.#recorder);
    rmSync(this.#spoolDirectory, { recursive: true, force: true });
    return undelivered;
  }
}
