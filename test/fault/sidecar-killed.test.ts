// The sidecar is killed with SIGKILL again and again while producers send: while it starts, when it has just been given a
// batch, while it counts one, when its answer begins, at any moment. In the end every observation is counted exactly once, and
// no scrape ever saw a counter go down. What it was at when it was killed is told by its successors, see KillingProxy.
// GATEWATCH_FAULT_KILLS and GATEWATCH_FAULT_SEED make a longer or another run, KILLS_OF_A_SEED with each seed from there on.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CountersWatch, PROCESS_COUNTERS } from '../support/counters-watch';
import { eventually } from '../support/eventually';
import { findFreePorts } from '../support/free-ports';
import { KillingProxy } from '../support/killing-proxy';
import { Producer } from '../support/producer';
import { RunningProgram } from '../support/running-program';
import { sumOf } from '../support/samples';
import { seededRandom } from '../support/seeded-random';

const MAIN = resolve(__dirname, '../../dist/sidecar/main.js');
const KILLS = Number(process.env['GATEWATCH_FAULT_KILLS'] ?? 10);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

const KILLS_OF_A_SEED = 50;
const RUNS = Array.from({ length: Math.ceil(KILLS / KILLS_OF_A_SEED) }, (_, run) => ({
  seed: SEED + run,
  kills: Math.min(KILLS_OF_A_SEED, KILLS - run * KILLS_OF_A_SEED),
}));

/** Longer than a batch of these producers takes. */
const COUNTING_MS = 6;
const WORK_MS = 600;

jest.setTimeout(180_000 + KILLS_OF_A_SEED * 15_000);

/** One kill of each in turn. */
const KINDS = ['while it starts', 'given', 'while it counts', 'answered', 'at any moment'] as const;

describe('a sidecar that is killed under load', () => {
  it.each(RUNS)('counts everything once, $kills kills with seed $seed', async ({ seed, kills }) => {
    const random = seededRandom(seed);
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-fault-'));
    const port = await findFreePorts(1);
    const configFile = join(directory, 'gatewatch.yml');
    writeFileSync(configFile, `listen: 127.0.0.1:${port}\ndata_dir: ${join(directory, 'data')}\n`);
    const url = `http://127.0.0.1:${port}`;
    const LISTENS = /sidecar listens/;
    /** How long the quickest start took. */
    let startMs = Infinity;
    const start = (): { sidecar: RunningProgram; listens: Promise<void> } => {
      const beganMs = performance.now();
      const started = new RunningProgram(process.execPath, [MAIN, '--config', configFile]);
      const listens = started.says(LISTENS).then(() => {
        startMs = Math.min(startMs, performance.now() - beganMs);
      });
      // Of one that is killed before.
      listens.catch(() => undefined);
      return { sidecar: started, listens };
    };
    let { sidecar, listens } = start();
    await listens;

    const watch = new CountersWatch(url, { isRestarted: true });
    const proxy = await KillingProxy.start(url);
    const producers = [1, 2, 3].map(() => new Producer({ sidecar_url: proxy.url }));
    for (const producer of producers) producer.start(2_000);
    let killedAtStart = 0;
    const kill = (): void => {
      if (!LISTENS.test(sidecar.output)) killedAtStart += 1;
      process.kill(sidecar.pid, 'SIGKILL');
    };
    const killAfter = async (ms: number): Promise<void> => {
      await delay(ms);
      kill();
      proxy.killed();
    };
    try {
      for (let one = 0; one < kills; one++) {
        const kind = KINDS[one % KINDS.length];
        if (kind === 'while it starts') await killAfter(random() * startMs * 0.8);
        else {
          await listens;
          await eventually(() => watch.scrape());
          if (kind === 'answered') await proxy.killAt({ kind }, kill);
          else if (kind === 'given') await proxy.killAt({ kind, afterMs: 0 }, kill);
          else if (kind === 'while it counts')
            await proxy.killAt({ kind: 'given', afterMs: random() * COUNTING_MS }, kill);
          else await killAfter(random() * WORK_MS);
        }
        await sidecar.ended;
        ({ sidecar, listens } = start());
      }
      await listens;
      expect(await Promise.all(producers.map((producer) => producer.close()))).toEqual([0, 0, 0]);
      const samples = await watch.end();
      const total = producers.reduce((sum, producer) => sum + producer.total, 0);
      expect(total).toBeGreaterThan(kills * 500);
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

      const { committed, uncommitted } = proxy.kills;
      process.stderr.write(
        `${kills} kills: ${killedAtStart} at the start, ${uncommitted} batches before their commit, ` +
          `${committed} between commit and answer; ${proxy.duplicates} duplicates\n`,
      );
      const ofAKind = Math.floor(kills / KINDS.length);
      expect(killedAtStart).toBeGreaterThanOrEqual(ofAKind / 2);
      expect(uncommitted).toBeGreaterThanOrEqual(ofAKind / 2);
      expect(committed).toBeGreaterThanOrEqual(ofAKind);
      expect(proxy.duplicates).toBeGreaterThanOrEqual(committed);

      expect(watch.faults).toEqual([]);
      expect(watch.scrapes).toBeGreaterThan(kills / 2);
      // The list of what may begin anew is no longer than it must be.
      expect(PROCESS_COUNTERS.filter((name) => !watch.exposed.has(name))).toEqual([]);
    } finally {
      for (const producer of producers) await producer.close();
      await watch.end().catch(() => undefined);
      await proxy.close();
      await sidecar.end('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
