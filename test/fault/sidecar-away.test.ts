// The sidecar is away for two days, by the plugin server's clock, while requests come without a pause: the plugin server's
// memory stays flat, and when the sidecar is back every request is counted once, in the hour in which it came.
// GATEWATCH_OUTAGE_EVENTS and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually } from '../support/eventually';
import { MeasuringProxy } from '../support/measuring-proxy';
import { PassingTime } from '../support/passing-time';
import { PLUGIN_SERVERS } from '../support/plugin-servers';
import { residentMemoryMb } from '../support/process-memory';
import { parseSamples, sumOf } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';
import { SpokenPluginServer } from '../support/spoken-plugin-server';

const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

const HOURS = 48;
const HOUR_MS = 3_600_000;
const PER_HOUR = Math.round(Number(process.env['GATEWATCH_OUTAGE_EVENTS'] ?? 24_000) / HOURS);
const EVENTS = HOURS * PER_HOUR;
/** From the end of the first day on; a heap that was not collected for a while is in it. */
const GROWTH_BOUND_MB = 80;

jest.setTimeout(60_000 + EVENTS);

interface KongDocument {
  request: object;
  response: { status: number };
  latencies: { proxy: number };
  service: { name: string };
}
const LOG = JSON.parse(
  readFileSync(resolve(__dirname, '../fixtures/kong/logs/200.json'), 'utf8'),
) as KongDocument;

/** Logs of ten services, with times and statuses as a gateway has them. */
function logSource(seed: number): () => string {
  const random = seededRandom(seed);
  return () => {
    LOG.service.name = `service-${Math.floor(random() * 10)}`;
    LOG.latencies.proxy = 5 + Math.floor(random() * 200);
    LOG.response.status = random() < 0.02 ? 503 : 200;
    return JSON.stringify(LOG);
  };
}

describe(`a sidecar that is away for ${HOURS} hours, and ${EVENTS} requests (seed ${SEED})`, () => {
  it.each(PLUGIN_SERVERS)('costs nothing under $title', async (program) => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-away-'));
    const sidecar = await SidecarProcess.prepare();
    const proxy = await MeasuringProxy.start(sidecar.url);
    const time = new PassingTime();
    // Five minutes past an hour, so that none of the steps is at the edge of one.
    time.pass((HOUR_MS + 300_000 - (Date.now() % HOUR_MS)) / 1_000);
    const server = await SpokenPluginServer.start({
      program,
      directory,
      config: { sidecar_url: proxy.url },
      wrap: time.wrap,
    });
    try {
      const nextLog = logSource(SEED);
      const given = new Map<number, number>();
      const memoryMb: number[] = [];
      for (let hour = 0; hour < HOURS; hour++) {
        if (hour > 0) time.pass(HOUR_MS / 1_000);
        await server.logEvents(PER_HOUR, nextLog);
        given.set(Math.floor(time.nowMs() / HOUR_MS), PER_HOUR);
        memoryMb.push(residentMemoryMb(server.holderPid));
      }
      expect(proxy.batches).toBe(0);
      const [first, second] = [memoryMb.slice(0, HOURS / 2), memoryMb.slice(HOURS / 2)];
      process.stderr.write(`${program.title}: ${Math.max(...first)} MB, then ${Math.max(...second)} MB\n`);
      expect(Math.max(...second)).toBeLessThan(Math.max(...first) + GROWTH_BOUND_MB);

      await sidecar.start();
      const samples = async (): Promise<ReturnType<typeof parseSamples>> =>
        parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text());
      await eventually(async () => {
        expect(sumOf(await samples(), 'gatewatch_requests_total')).toBe(EVENTS);
      }, 60_000);
      const counted = new Map<number, number>();
      for (const { startMs: atMs, durationMs, requests } of proxy.intervals) {
        expect(durationMs).toBeLessThanOrEqual(HOUR_MS);
        const hour = Math.floor(atMs / HOUR_MS);
        counted.set(hour, (counted.get(hour) ?? 0) + requests);
      }
      expect([...counted].sort()).toEqual([...given].sort());
      // Those of the last hour came within the last minutes, and are in the rules' windows.
      expect(sumOf(await samples(), 'gatewatch_windows_late_requests_total')).toBe(EVENTS - PER_HOUR);
      expect(sumOf(await samples(), 'gatewatch_plugin_folded_requests_total')).toBe(0);
    } finally {
      await server.end('SIGKILL');
      await proxy.close();
      await sidecar.remove();
      time.remove();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
