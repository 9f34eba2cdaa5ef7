// The plugin server is ended again and again under load. Every event that the gateway was answered for is counted, once: at
// least what was answered, at most what was answered or broken off. The gateway keeps these two numbers.
// GATEWATCH_PLUGIN_KILLS and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { CountersWatch } from '../support/counters-watch';
import type { TestGateway } from '../support/embedded-gateway';
import { eventually } from '../support/eventually';
import { startPluginGateway } from '../support/plugin-gateway';
import { HOST_SERVER, STOCK_SERVER, type PluginServerProgram } from '../support/plugin-servers';
import { parseSamples, sumOf } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';

const KILLS = Number(process.env['GATEWATCH_PLUGIN_KILLS'] ?? 1);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);
const CLIENTS = 32;

jest.setTimeout(180_000 + KILLS * 50_000);

let sidecar: SidecarProcess;
let gateway: TestGateway;

beforeEach(async () => {
  sidecar = await SidecarProcess.start();
});

afterEach(async () => {
  await gateway.stop();
  await sidecar.remove();
});

/** Requests over CLIENTS connections until `end` is aborted. */
async function load(end: AbortSignal): Promise<number> {
  const pool = new Pool(gateway.proxyUrl, { connections: CLIENTS });
  let served = 0;
  const client = async (): Promise<void> => {
    while (!end.aborted) {
      const { statusCode, body } = await pool.request({ method: 'GET', path: '/' });
      await body.dump();
      expect(statusCode).toBe(200);
      served += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await pool.close();
  return served;
}

const counted = async (name = 'gatewatch_requests_total'): Promise<number> =>
  sumOf(parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text()), name);

const serverPid = (): number => {
  const pid = gateway.pluginServerPids().get('js');
  if (pid === undefined) throw new Error('no plugin server runs');
  return pid;
};

const workerPid = (): number => HOST_SERVER.holderOf(serverPid());

/** @throws while it is still the last one */
function another(victim: () => number, last: number): number {
  const pid = victim();
  if (pid === last) throw new Error(`process ${pid} has not ended`);
  return pid;
}

interface Ending {
  readonly title: string;
  readonly program: PluginServerProgram;
  /** The process to end. */
  readonly victim: () => number;
  /** Others that end with it. */
  readonly alsoEnded?: () => number[];
  readonly signal: NodeJS.Signals;
  /** The plugin server is not there for a moment, and Kong loses what it wants to tell it meanwhile. */
  readonly losesConnections: boolean;
  /** Which of the ends are deaths. */
  readonly deaths: number;
  /** Which of them a host mends itself. */
  readonly restarts: number;
}

const ENDINGS: Ending[] = [
  {
    title: 'whose worker is killed',
    program: HOST_SERVER,
    victim: workerPid,
    signal: 'SIGKILL',
    losesConnections: false,
    deaths: KILLS,
    restarts: KILLS,
  },
  {
    title: 'whose parent is killed',
    program: HOST_SERVER,
    victim: serverPid,
    signal: 'SIGKILL',
    losesConnections: false,
    deaths: 0,
    restarts: 0,
  },
  {
    title: 'that is killed, worker and parent at once,',
    program: HOST_SERVER,
    victim: serverPid,
    alsoEnded: () => [workerPid()],
    signal: 'SIGKILL',
    losesConnections: true,
    deaths: KILLS,
    restarts: 0,
  },
  {
    title: 'that is ended with SIGTERM',
    program: HOST_SERVER,
    victim: serverPid,
    signal: 'SIGTERM',
    losesConnections: true,
    deaths: 0,
    restarts: 0,
  },
  {
    title: 'that is killed',
    program: STOCK_SERVER,
    victim: serverPid,
    signal: 'SIGKILL',
    losesConnections: true,
    deaths: KILLS,
    restarts: 0,
  },
];

describe.each(ENDINGS)(
  '$program.title $title',
  ({ program, victim, alsoEnded, signal, losesConnections, deaths, restarts }) => {
    it(`under load, ${KILLS} times (seed ${SEED}): every answered event is counted once`, async () => {
      const random = seededRandom(SEED);
      gateway = await startPluginGateway({ program, sidecarUrl: sidecar.url });
      const watch = new CountersWatch(sidecar.url);
      const stop = new AbortController();
      const loading = load(stop.signal);
      loading.catch(() => undefined);
      let last = 0;
      for (let kill = 0; kill <= KILLS; kill++) {
        // Another process has come, has delivered something, and so dies, if it does, with a spool of its own.
        const pid = await eventually(() => Promise.resolve(another(victim, last)));
        const before = await counted();
        await eventually(async () => expect(await counted()).toBeGreaterThan(before + 100));
        if (kill === KILLS) break;
        await delay(random() * 1_000);
        // Found before any of them has ended; the parent first, or it would start another worker.
        for (const ended of [pid, ...(alsoEnded?.() ?? [])]) process.kill(ended, signal);
        last = pid;
      }
      stop.abort();
      const served = await loading;
      await eventually(async () => {
        const { eventsStarted, eventsAnswered, eventsBrokenOff, ...counters } = gateway.counters;
        const lost = counters.eventsLostAtConnect + counters.eventsWithoutInstance + counters.eventsOverLimit;
        expect(eventsAnswered + eventsBrokenOff + lost).toBe(eventsStarted);
        await Promise.resolve();
      });
      await eventually(async () =>
        expect(await counted()).toBeGreaterThanOrEqual(gateway.counters.eventsAnswered),
      );
      await gateway.stop();
      // Each of them said goodbye, or another one for it, also one that had lost its parent: nothing can follow.
      await eventually(async () =>
        expect(await counted('gatewatch_producer_last_batch_timestamp_seconds')).toBe(0),
      );

      const { requestsServed, eventsAnswered, eventsBrokenOff, eventsLostAtConnect } = gateway.counters;
      expect(requestsServed).toBe(served);
      const total = await counted();
      expect(total).toBeGreaterThanOrEqual(eventsAnswered);
      expect(total).toBeLessThanOrEqual(eventsAnswered + eventsBrokenOff);
      expect(await counted('gatewatch_plugin_events_total')).toBe(total);
      expect(await counted('gatewatch_plugin_unspooled_events_total')).toBe(0);
      expect(await counted('gatewatch_plugin_deaths_total')).toBe(deaths);
      expect(await counted('gatewatch_plugin_worker_restarts_total')).toBe(restarts);
      expect(await counted('gatewatch_plugin_damaged_spools_total')).toBe(0);
      if (!losesConnections) expect(eventsLostAtConnect).toBe(0);
      await watch.end();
      expect(watch.faults).toEqual([]);
    });
  },
);
