// The sidecar is killed with SIGKILL at random moments while producers send: while it starts, between a commit and its
// answer, in the middle of a commit. In the end every observation is counted exactly once, and no scrape ever saw a counter
// go down. GATEWATCH_FAULT_KILLS and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually';
import { findFreePorts } from '../support/free-ports';
import { Producer } from '../support/producer';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf, type ScrapedSample } from '../support/samples';
import { seededRandom } from '../support/seeded-random';

const MAIN = resolve(__dirname, '../../dist/sidecar/main.js');
const KILLS = Number(process.env['GATEWATCH_FAULT_KILLS'] ?? 12);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

jest.setTimeout(60_000 + KILLS * 3_000);

const COUNTERS =
  /^(external_request_duration_seconds_(count|sum|bucket)|gatewatch_requests_total|gatewatch_plugin_\w+_total)$/;

/** What every counter was at its highest; throws when one went down. */
class NeverDown {
  readonly #highest = new Map<string, number>();

  check(samples: readonly ScrapedSample[]): void {
    for (const { name, labels, value } of samples) {
      if (!COUNTERS.test(name)) continue;
      const key = `${name}${JSON.stringify(labels)}`;
      const before = this.#highest.get(key) ?? 0;
      if (value < before) throw new Error(`${key} went down from ${before} to ${value}`);
      this.#highest.set(key, value);
    }
  }
}

describe(`a sidecar that is killed ${KILLS} times under load (seed ${SEED})`, () => {
  it('has counted every observation exactly once, and no counter ever went down', async () => {
    const random = seededRandom(SEED);
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-fault-'));
    const port = await findFreePorts(1);
    const configFile = join(directory, 'gatewatch.yml');
    writeFileSync(configFile, `listen: 127.0.0.1:${port}\ndata_dir: ${join(directory, 'data')}\n`);
    const url = `http://127.0.0.1:${port}`;
    const start = (): RunningProgram => new RunningProgram(process.execPath, [MAIN, '--config', configFile]);
    const scrape = async (): Promise<ScrapedSample[]> =>
      parseSamples(await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) })).text());

    const neverDown = new NeverDown();
    const producers = [1, 2, 3].map(() => new Producer({ sidecar_url: url }));
    for (const producer of producers) producer.start(2_000);
    let sidecar = start();
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        // From the middle of the start to a second of work.
        await delay(50 + random() * 1_200);
        neverDown.check(await scrape().catch(() => []));
        await sidecar.end('SIGKILL');
        sidecar = start();
      }
      await sidecar.says(/sidecar listens/);
      expect(await Promise.all(producers.map((producer) => producer.close()))).toEqual([0, 0, 0]);
      const samples = await eventually(scrape);
      neverDown.check(samples);
      const total = producers.reduce((sum, producer) => sum + producer.total, 0);
      expect(total).toBeGreaterThan(KILLS * 500);
      expect(sumOf(samples, 'gatewatch_requests_total')).toBe(total);
      expect(sumOf(samples, 'external_request_duration_seconds_count')).toBe(total);
      expect(sumOf(samples, 'gatewatch_plugin_events_total')).toBe(total);
      for (let status = 200; status < 207; status++) {
        const given = producers.reduce((sum, producer) => sum + (producer.given.get(status) ?? 0), 0);
        expect([status, sumOf(samples, 'gatewatch_requests_total', { status: String(status) })]).toEqual([
          status,
          given,
        ]);
      }
    } finally {
      for (const producer of producers) await producer.close();
      await sidecar.end('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
