// The plugin server stands still for a second or more while 3,000 requests are served, as many as a busy gateway has in one: Kong's
// events wait, within its limit of 4,096 timers, and nothing is lost.
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { CountersWatch } from '../support/counters-watch';
import type { TestGateway } from '../support/embedded-gateway';
import { eventually } from '../support/eventually';
import { startPluginGateway } from '../support/plugin-gateway';
import { HOST_SERVER } from '../support/plugin-servers';
import { sumOf } from '../support/samples';
import { SidecarProcess } from '../support/sidecar-process';

const REQUESTS = 3_000;
const STALL_MS = 1_000;
/** On a slow machine fewer are served meanwhile: a host that stands still for 20 s hangs. */
const MOST_STALL_MS = 10_000;
const CONNECTIONS = 100;
const ROUNDS = Number(process.env['GATEWATCH_STALL_ROUNDS'] ?? 1);

jest.setTimeout(300_000);

let sidecar: SidecarProcess;
let watch: CountersWatch;
let gateway: TestGateway;

beforeEach(async () => {
  sidecar = await SidecarProcess.start();
  watch = new CountersWatch(sidecar.url);
  gateway = await startPluginGateway({ program: HOST_SERVER, sidecarUrl: sidecar.url });
});

afterEach(async () => {
  await gateway.stop();
  await watch.end();
  await sidecar.remove();
});

/** @returns how many were served: fewer where `withinMs` is not long enough */
async function serve(pool: Pool, requests: number, withinMs = Infinity): Promise<number> {
  const endMs = performance.now() + withinMs;
  let begun = 0;
  const client = async (): Promise<void> => {
    while (begun < requests && performance.now() < endMs) {
      begun += 1;
      const { statusCode, body } = await pool.request({ method: 'GET', path: '/' });
      await body.dump();
      expect(statusCode).toBe(200);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  return begun;
}

const counted = async (name: string): Promise<number> => sumOf(await watch.scrape(), name);

describe('a stall of the plugin host', () => {
  it('loses nothing, and is told', async () => {
    const pool = new Pool(gateway.proxyUrl, { connections: CONNECTIONS });
    let served = await serve(pool, 10);
    const pid = gateway.pluginServerPids().get('js');
    if (pid === undefined) throw new Error('no plugin server runs');
    const worker = HOST_SERVER.holderOf(pid);
    for (let round = 1; round <= ROUNDS; round++) {
      const before = served;
      await eventually(async () => expect(await counted('gatewatch_requests_total')).toBe(before));
      process.kill(worker, 'SIGSTOP');
      try {
        const [more] = await Promise.all([serve(pool, REQUESTS, MOST_STALL_MS), delay(STALL_MS)]);
        expect(more).toBeGreaterThan(5 * CONNECTIONS);
        served += more;
        expect(gateway.counters.eventsAnswered).toBe(before);
      } finally {
        process.kill(worker, 'SIGCONT');
      }
      // Of the batch that follows the stall; it is shown for a minute.
      await eventually(async () =>
        expect(await counted('gatewatch_plugin_event_loop_lag_seconds')).toBeGreaterThan(
          STALL_MS / 1_000 - 0.05,
        ),
      );
    }
    await eventually(async () => expect(await counted('gatewatch_requests_total')).toBe(served));
    const { eventsLostAtConnect, eventsOverLimit, eventsWithoutInstance, eventsBrokenOff } = gateway.counters;
    expect([eventsLostAtConnect, eventsOverLimit, eventsWithoutInstance, eventsBrokenOff]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(await counted('gatewatch_plugin_worker_restarts_total')).toBe(0);
    await pool.close();
    await watch.end();
    expect(watch.faults).toEqual([]);
    expect(watch.scrapes).toBeGreaterThan(5);
  });

  it('that does not end is ended: its successor counts what was answered', async () => {
    const pool = new Pool(gateway.proxyUrl, { connections: 20 });
    await serve(pool, 500);
    const pid = gateway.pluginServerPids().get('js');
    if (pid === undefined) throw new Error('no plugin server runs');
    const hung = HOST_SERVER.holderOf(pid);
    process.kill(hung, 'SIGSTOP');
    await serve(pool, 500);
    await eventually(() => {
      expect(HOST_SERVER.holderOf(pid)).not.toBe(hung);
      return Promise.resolve();
    });
    await serve(pool, 500);
    await eventually(async () => {
      const { eventsStarted, eventsAnswered, eventsBrokenOff } = gateway.counters;
      expect(eventsStarted).toBe(1_500);
      expect(eventsAnswered + eventsBrokenOff).toBe(1_500);
      expect(await counted('gatewatch_requests_total')).toBeGreaterThanOrEqual(eventsAnswered);
      expect(await counted('gatewatch_requests_total')).toBeLessThanOrEqual(1_500);
    });
    expect(gateway.lines.join('\n')).toContain('the worker of the plugin server hangs; it is killed');
    await eventually(async () => expect(await counted('gatewatch_plugin_deaths_total')).toBe(1));
    expect(await counted('gatewatch_plugin_worker_restarts_total')).toBe(1);
    await pool.close();
    await watch.end();
    expect(watch.faults).toEqual([]);
    expect(watch.scrapes).toBeGreaterThan(5);
  });
});
