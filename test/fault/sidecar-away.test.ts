// The sidecar is away for two days, by the plugin server's clock, while requests come all the time: the plugin server's memory
// stays flat, seconds become minutes and minutes become hours, and when the sidecar is back every request is counted once, in
// the hour in which it came.
// GATEWATCH_OUTAGE_EVENTS and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CountersWatch } from '../support/counters-watch';
import { eventually } from '../support/eventually';
import { LIVE_MEMORY_PRELOAD, LiveMemory } from '../support/live-memory';
import { MeasuringProxy } from '../support/measuring-proxy';
import { PassingTime } from '../support/passing-time';
import { PLUGIN_SERVERS } from '../support/plugin-servers';
import { sumOf } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';
import { SpokenPluginServer } from '../support/spoken-plugin-server';

const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

const HOURS = 48;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const BURSTS_PER_HOUR = 20;
const BURST_PAUSE_S = 150;
const PER_BURST = Math.round(
  Number(process.env['GATEWATCH_OUTAGE_EVENTS'] ?? 4_800) / (HOURS * BURSTS_PER_HOUR),
);
/** In the last minute, a second apart. */
const LAST_BURSTS = 5;
const EVENTS = (HOURS * BURSTS_PER_HOUR + LAST_BURSTS) * PER_BURST;

const SERVICES = 4;
const TIMES = 50;

/** When the caches of V8 and the first hours are in it. */
const SETTLED_HOURS = 8;
/** Of what is left after garbage collection: an hour is 200 cells of 8 series, some 20 kB. Its 20 bursts, apart, would be 100. */
const GROWTH_BOUND_MB = 1.5;
/** An interval is sealed, and merged for the last time, up to so long before it is received. */
const SLACK_MS = 30_000;

jest.setTimeout(360_000 + EVENTS * 5);

interface KongDocument {
  request: object;
  response: { status: number };
  latencies: { proxy: number };
  service: { name: string };
}
const LOG = JSON.parse(
  readFileSync(resolve(__dirname, '../fixtures/kong/logs/200.json'), 'utf8'),
) as KongDocument;

/** Logs of a few services, with times and statuses as a gateway has them. */
function logSource(seed: number): () => string {
  const random = seededRandom(seed);
  return () => {
    LOG.service.name = `service-${Math.floor(random() * SERVICES)}`;
    LOG.latencies.proxy = 5 + Math.floor(random() * TIMES);
    LOG.response.status = random() < 0.02 ? 503 : 200;
    return JSON.stringify(LOG);
  };
}

describe(`a sidecar that is away for ${HOURS} hours, and ${EVENTS} requests (seed ${SEED})`, () => {
  it.each(PLUGIN_SERVERS)('costs nothing under $title', async (program) => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-away-'));
    const sidecar = await SidecarProcess.prepare();
    const proxy = await MeasuringProxy.start(sidecar.url);
    const memory = new LiveMemory();
    const time = new PassingTime([LIVE_MEMORY_PRELOAD]);
    // Five minutes past the next hour, so that none of the bursts is at the edge of one, however long they take.
    const passToNextHour = (): void => time.pass((HOUR_MS + 300_000 - (time.nowMs() % HOUR_MS)) / 1_000);
    passToNextHour();
    const server = await SpokenPluginServer.start({
      program,
      directory,
      config: { sidecar_url: proxy.url },
      wrap: (command) => memory.wrap(time.wrap(command)),
    });
    try {
      const nextLog = logSource(SEED);
      const given = new Map<number, number>();
      const burst = async (): Promise<void> => {
        const hour = Math.floor(time.nowMs() / HOUR_MS);
        given.set(hour, (given.get(hour) ?? 0) + PER_BURST);
        await server.logEvents(PER_BURST, nextLog);
      };
      const memoryMb: number[] = [];
      for (let hour = 0; hour < HOURS; hour++) {
        if (hour > 0) passToNextHour();
        for (let one = 0; one < BURSTS_PER_HOUR; one++) {
          await burst();
          time.pass(BURST_PAUSE_S);
        }
        memoryMb.push(await memory.readMb(server.holderPid));
      }
      for (let one = 0; one < LAST_BURSTS; one++) {
        time.pass(1);
        await burst();
      }
      expect(proxy.batches).toBe(0);
      const [settledMb = 0, lastMb = 0] = [memoryMb[SETTLED_HOURS], memoryMb.at(-1)];
      process.stderr.write(
        `${program.title}: ${settledMb} MB after ${SETTLED_HOURS} hours, ${lastMb} at last\n`,
      );
      expect(lastMb).toBeLessThan(settledMb + GROWTH_BOUND_MB);

      const aheadMs = time.nowMs() - Date.now();
      await sidecar.start();
      const watch = new CountersWatch(sidecar.url);
      await eventually(async () => {
        expect(sumOf(await watch.scrape(), 'gatewatch_requests_total')).toBe(EVENTS);
      });
      const samples = await watch.end();
      expect(watch.faults).toEqual([]);

      const counted = new Map<number, number>();
      const startsOf = new Map(
        [1_000, MINUTE_MS, HOUR_MS].map((durationMs) => [durationMs, new Set<number>()]),
      );
      for (const { startMs, durationMs, requests, receivedMs } of proxy.intervals) {
        const hour = Math.floor(startMs / HOUR_MS);
        counted.set(hour, (counted.get(hour) ?? 0) + requests);
        expect([...startsOf.keys()]).toContain(durationMs);
        startsOf.get(durationMs)?.add(startMs);
        // A second becomes part of a minute after a minute, a minute part of an hour after an hour.
        const ageMs = receivedMs + aheadMs - (startMs + durationMs);
        if (durationMs === 1_000) expect(ageMs).toBeLessThan(MINUTE_MS + SLACK_MS);
        if (durationMs === MINUTE_MS) expect(ageMs).toBeLessThan(HOUR_MS + SLACK_MS);
      }
      expect([...counted].sort()).toEqual([...given].sort());
      const [seconds = 0, minutes = 0, hours = 0] = [...startsOf.values()].map(({ size }) => size);
      // A burst may go on into the next second. The bursts of the last hour are minutes, and begin within the first of them.
      expect(seconds).toBeLessThanOrEqual(2 * LAST_BURSTS);
      expect(minutes).toBeGreaterThanOrEqual(BURSTS_PER_HOUR - 1);
      expect(minutes).toBeLessThanOrEqual(2 * BURSTS_PER_HOUR + LAST_BURSTS);
      expect([HOURS - 1, HOURS]).toContain(hours);

      // Those of the last minutes are in the rules' windows.
      const late = sumOf(samples, 'gatewatch_windows_late_requests_total');
      expect(late).toBeGreaterThanOrEqual(EVENTS - (BURSTS_PER_HOUR + LAST_BURSTS) * PER_BURST);
      expect(late).toBeLessThanOrEqual(EVENTS - LAST_BURSTS * PER_BURST);
      expect(sumOf(samples, 'gatewatch_plugin_folded_requests_total')).toBe(0);
    } finally {
      await server.end('SIGKILL');
      await proxy.close();
      await sidecar.remove();
      time.remove();
      memory.remove();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
