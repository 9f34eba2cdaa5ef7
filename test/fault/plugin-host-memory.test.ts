// A day of a busy gateway in short: events without end, a new instance with each change of configuration, events that Kong
// never finishes. The memory of the worker stays flat, and every event is counted.
// GATEWATCH_HOST_EVENTS makes it longer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { HOST_SERVER } from '../support/plugin-servers';
import { residentMemoryMb } from '../support/process-memory';
import { parseSamples, sumOf } from '../support/samples';
import { SidecarProcess } from '../support/sidecar-process';
import { SpokenPluginServer } from '../support/spoken-plugin-server';

const EVENTS = Number(process.env['GATEWATCH_HOST_EVENTS'] ?? 50_000);
const ROUNDS = 100;
const ABANDONED = 10;
/** A hundred bytes for each of a million events would be more. */
const GROWTH_BOUND_MB = 40;

jest.setTimeout(60_000 + EVENTS);

it(`the plugin host keeps its memory flat over ${EVENTS} events and ${ROUNDS} instances`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-host-memory-'));
  const sidecar = await SidecarProcess.start();
  const server = await SpokenPluginServer.start({
    program: HOST_SERVER,
    directory,
    config: { sidecar_url: sidecar.url },
  });
  try {
    const worker = server.holderPid;
    const memoryMb: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await server.startInstance({ __seq__: round });
      await server.abandonEvents(ABANDONED);
      await server.logEvents(EVENTS / ROUNDS);
      memoryMb.push(residentMemoryMb(worker));
    }
    const highest = (from: number, to: number): number => Math.max(...memoryMb.slice(from, to));
    const [early, late] = [highest(ROUNDS * 0.1, ROUNDS * 0.4), highest(ROUNDS * 0.7, ROUNDS)];
    process.stderr.write(`${EVENTS} events: ${early} MB, then ${late} MB\n`);
    expect(late).toBeLessThan(early + GROWTH_BOUND_MB);
    expect(server.holderPid).toBe(worker);
    await eventually(async () => {
      const samples = parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text());
      expect(sumOf(samples, 'gatewatch_requests_total')).toBe(EVENTS);
    });
  } finally {
    await server.end('SIGKILL');
    await sidecar.remove();
    rmSync(directory, { recursive: true, force: true });
  }
});
