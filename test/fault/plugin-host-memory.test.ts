// A day of a busy gateway in short: events without end, a new instance with each change of configuration, events that Kong
// never finishes. The memory of the worker stays flat, and every event is counted.
// GATEWATCH_HOST_EVENTS makes it longer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CountersWatch } from '../support/counters-watch';
import { eventually } from '../support/eventually';
import { LiveMemory } from '../support/live-memory';
import { HOST_SERVER } from '../support/plugin-servers';
import { sumOf } from '../support/samples';
import { SidecarProcess } from '../support/sidecar-process';
import { SpokenPluginServer } from '../support/spoken-plugin-server';

const EVENTS = Number(process.env['GATEWATCH_HOST_EVENTS'] ?? 20_000);
const ROUNDS = 100;
const ABANDONED = 10;
/** Of what is left after garbage collection, from the first fifth to the end: of 50,000 events 60 bytes each would be more. */
const GROWTH_BOUND_MB = 3;

jest.setTimeout(180_000 + EVENTS * 5);

it(`the plugin host keeps its memory flat over ${EVENTS} events and ${ROUNDS} instances`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-host-memory-'));
  const sidecar = await SidecarProcess.start();
  const watch = new CountersWatch(sidecar.url);
  const memory = new LiveMemory();
  const server = await SpokenPluginServer.start({
    program: HOST_SERVER,
    directory,
    config: { sidecar_url: sidecar.url },
    wrap: memory.wrap,
  });
  try {
    const worker = server.holderPid;
    const memoryMb: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await server.startInstance({ __seq__: round });
      await server.abandonEvents(ABANDONED);
      await server.logEvents(EVENTS / ROUNDS);
      memoryMb.push(await memory.readMb(worker));
    }
    const [early, late] = [memoryMb[ROUNDS / 5] ?? 0, Math.min(...memoryMb.slice(-5))];
    process.stderr.write(`${EVENTS} events: ${early} MB, then ${late} MB\n`);
    expect(late).toBeLessThan(early + GROWTH_BOUND_MB);
    expect(server.holderPid).toBe(worker);
    await eventually(async () => {
      expect(sumOf(await watch.scrape(), 'gatewatch_requests_total')).toBe(EVENTS);
    });
    await watch.end();
    expect(watch.faults).toEqual([]);
  } finally {
    await server.end('SIGKILL');
    await watch.end();
    await sidecar.remove();
    memory.remove();
    rmSync(directory, { recursive: true, force: true });
  }
});
