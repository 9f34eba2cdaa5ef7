// What one event costs the plugin server: our host with the whole plugin, the stock server with a plugin that only fetches and
// parses the log, and the stock server with the whole plugin. In turn, over several rounds of one run; the plugin delivers to
// a real sidecar, which must have counted every event in the end.
//   node plugin-server.js     in the project's folder, after `npm run build`; Linux only (/proc)
// Out, for each: CPU of the server's processes (user and system, all threads) in µs an event, and events a second, both as
// median (lowest to highest round); then, round by round, the CPU against the stock server's with the small plugin.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findFreePorts } from '../support/free-ports';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf } from '../support/samples';
import { Arena, HOST_CONTENDER, spread, type Contender } from './plugin-server-arena';

const ROUNDS = 8;
const EVENTS = 20_000;
/** Until the machine code of the hot functions is there. */
const WARM_UP_EVENTS = 20_000;

const STOCK = resolve('node_modules', 'kong-pdk', 'bin', 'kong-js-pluginserver');
const PLUGINS = resolve('dist', 'kong-plugin', 'plugins');
const PARSE_ONLY = resolve('test', 'bench', 'parse-only-plugin');
const SIDECAR = resolve('dist', 'sidecar', 'main.js');

const stock = (title: string, plugin: string, plugins: string): Contender => ({
  title,
  plugin,
  args: (socket) => [
    STOCK,
    '--plugins-directory',
    plugins,
    '-p',
    resolve(socket, '..'),
    '--sock-name',
    title,
  ],
  ready: /server started/,
});
const CONTENDERS: readonly Contender[] = [
  HOST_CONTENDER,
  stock('stock server, parses only', 'parse-only', PARSE_ONLY),
  stock('stock server, whole plugin', 'gatewatch', PLUGINS),
];
/** That of the contenders to which the others are compared. */
const REFERENCE = 1;

async function countedRequests(sidecarUrl: string): Promise<number> {
  const answer = await fetch(`${sidecarUrl}/metrics`);
  return sumOf(parseSamples(await answer.text()), 'gatewatch_requests_total');
}

function printTable(arenas: readonly Arena[]): void {
  const reference = arenas[REFERENCE]?.turns ?? [];
  const rows = arenas.map(({ contender, turns }) => [
    contender.title,
    spread(
      turns.map(({ cpuUs }) => cpuUs),
      1,
    ),
    spread(
      turns.map(({ cpuUs }, round) => cpuUs / (reference[round]?.cpuUs ?? NaN)),
      2,
    ),
    spread(
      turns.map(({ eventsPerSecond }) => eventsPerSecond),
      0,
    ),
  ]);
  for (const row of [['', 'CPU, µs an event', 'against the small plugin', 'events a second'], ...rows]) {
    console.log(row.map((cell) => cell.padEnd(28)).join(''));
  }
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-bench-'));
  const port = await findFreePorts(1);
  const configFile = join(directory, 'gatewatch.yml');
  writeFileSync(configFile, `listen: 127.0.0.1:${port}\ndata_dir: ${join(directory, 'data')}\n`);
  const sidecarUrl = `http://127.0.0.1:${port}`;
  const sidecar = new RunningProgram(process.execPath, [SIDECAR, '--config', configFile]);
  const arenas: Arena[] = [];
  try {
    await sidecar.says(/sidecar listens/);
    for (const contender of CONTENDERS) {
      const config = contender.plugin === 'gatewatch' ? { sidecar_url: sidecarUrl } : {};
      arenas.push(await Arena.open(contender, directory, config));
    }
    for (const arena of arenas) await arena.drive(WARM_UP_EVENTS);
    for (let round = 0; round < ROUNDS; round++) {
      for (const arena of arenas) arena.turns.push(await arena.drive(EVENTS));
    }
    printTable(arenas);
  } finally {
    await Promise.all(arenas.map((arena) => arena.close()));
    const counted = await countedRequests(sidecarUrl).finally(() => sidecar.end());
    rmSync(directory, { recursive: true, force: true });
    const driven =
      (WARM_UP_EVENTS + ROUNDS * EVENTS) * CONTENDERS.filter(({ plugin }) => plugin === 'gatewatch').length;
    console.log(`the sidecar counted ${counted} of ${driven} events`);
    if (counted !== driven) process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
