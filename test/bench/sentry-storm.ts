// What a storm of errors costs a plugin server that reports to Sentry, and Sentry. Every request fails; the plugin host reports to
// a strict Sentry on 127.0.0.1 and delivers to a real sidecar.
//   node sentry-storm.js      in the project's folder, after `npm run build`; Linux only (/proc)
// First as fast as each event is answered, in turn with a host that does not report: events a second and CPU of both, median
// (lowest to highest round), and round by round the share of the throughput that is left. Then 5,000 errors a second for 60 s:
// what left, against what the governor's settings allow; memory at the begin, at most and at the end; and whether every error
// has exactly one outcome.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EnvelopeServer } from '../support/envelope-server';
import { findFreePorts } from '../support/free-ports';
import { residentMemoryMb } from '../support/process-memory';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf, type ScrapedSample } from '../support/samples';
import { HOST_SERVER } from '../support/plugin-servers';
import { Arena, HOST_CONTENDER, spread } from './plugin-server-arena';

const STORM_SECONDS = 60;
const ERRORS_PER_SECOND = 5_000;
const ROUNDS = 8;
const EVENTS = 20_000;
const WARM_UP_EVENTS = 20_000;

/** Errors of four services, as recorded. */
const LOGS = ['500.json', '502-refused.json', '504-timeout.json', 'no-healthy-target.json'];

/** The plugin's defaults. */
const GOVERNOR = {
  ...{ issue_burst: 5, issue_events_per_minute: 6 },
  ...{ total_burst: 50, total_events_per_minute: 300 },
  ...{ transaction_burst: 50, transactions_per_minute: 600 },
};

const SIDECAR = resolve('dist', 'sidecar', 'main.js');

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-storm-'));
  const port = await findFreePorts(1);
  const configFile = join(directory, 'gatewatch.yml');
  writeFileSync(configFile, `listen: 127.0.0.1:${port}\ndata_dir: ${join(directory, 'data')}\n`);
  const sidecarUrl = `http://127.0.0.1:${port}`;
  const sidecar = new RunningProgram(process.execPath, [SIDECAR, '--config', configFile]);
  const sentry = await EnvelopeServer.start();
  const reports = { sidecar_url: sidecarUrl, sentry: { dsn: sentry.dsn(), governor: GOVERNOR } };
  try {
    await sidecar.says(/sidecar listens/);
    await compare({ sidecar_url: sidecarUrl }, reports, directory);
    const before = { samples: await scrape(sidecarUrl), events: sentry.payloads('event').length };
    const driven = await storm(reports, directory);
    const samples = await scrape(sidecarUrl);
    printStorm(before, samples, sentry, driven);
  } finally {
    await sidecar.end();
    await sentry.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function compare(
  plain: Readonly<Record<string, unknown>>,
  reports: Readonly<Record<string, unknown>>,
  directory: string,
): Promise<void> {
  const without = await Arena.open({ ...HOST_CONTENDER, title: 'without' }, directory, plain, LOGS);
  const reporting = await Arena.open({ ...HOST_CONTENDER, title: 'reporting' }, directory, reports, LOGS);
  const arenas = [without, reporting];
  for (const arena of arenas) await arena.drive(WARM_UP_EVENTS);
  for (let round = 0; round < ROUNDS; round++) {
    // Who comes first in a round alternates.
    for (const arena of round % 2 === 0 ? arenas : arenas.toReversed()) {
      arena.turns.push(await arena.drive(EVENTS));
    }
  }
  for (const { contender, turns } of arenas) {
    const perSecond = spread(
      turns.map(({ eventsPerSecond }) => eventsPerSecond),
      0,
    );
    const cpu = spread(
      turns.map(({ cpuUs }) => cpuUs),
      1,
    );
    console.log(`${contender.title.padEnd(12)}${perSecond} events a second, ${cpu} µs of CPU an event`);
  }
  const shares = reporting.turns.map(
    ({ eventsPerSecond }, round) => eventsPerSecond / (without.turns[round]?.eventsPerSecond ?? NaN),
  );
  console.log(`throughput that is left while every request is an error: ${spread(shares, 2)}`);
  await Promise.all(arenas.map((arena) => arena.close()));
}

/** @returns how many errors there were */
async function storm(reports: Readonly<Record<string, unknown>>, directory: string): Promise<number> {
  const arena = await Arena.open({ ...HOST_CONTENDER, title: 'storm' }, directory, reports, LOGS);
  const worker = HOST_SERVER.holderOf(arena.pid);
  const memoryMb: number[] = [];
  const seconds: number[] = [];
  for (let second = 0; second < STORM_SECONDS; second++) {
    seconds.push((await arena.drive(ERRORS_PER_SECOND, ERRORS_PER_SECOND)).eventsPerSecond);
    memoryMb.push(residentMemoryMb(worker));
  }
  console.log(`storm: ${spread(seconds, 0)} errors a second for ${STORM_SECONDS} s`);
  const minute = (from: number): string => `${Math.max(...memoryMb.slice(from, from + 10))} MB`;
  console.log(
    `memory of the worker, most of ten seconds: ${minute(0)} at first, ${minute(20)} in the middle, ${minute(50)} at last`,
  );
  await arena.close();
  return STORM_SECONDS * ERRORS_PER_SECOND;
}

function printStorm(
  before: { readonly samples: readonly ScrapedSample[]; readonly events: number },
  samples: readonly ScrapedSample[],
  sentry: EnvelopeServer,
  driven: number,
): void {
  const since = (family: string, outcome: string): number =>
    sumOf(samples, family, { outcome }) - sumOf(before.samples, family, { outcome });
  const outcomes = ['sent', 'held_back', 'rate_limited', 'failed', 'dropped', 'sampled_out'];
  let ended = 0;
  for (const family of ['gatewatch_sentry_events_total', 'gatewatch_sentry_transactions_total']) {
    const counts = outcomes.map((outcome): [string, number] => [outcome, since(family, outcome)]);
    if (family === 'gatewatch_sentry_events_total') ended = counts.reduce((sum, [, count]) => sum + count, 0);
    console.log(`${family}: ${counts.map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`);
  }
  const arrived = sentry.payloads('event').slice(before.events);
  const told = arrived.reduce((sum, event) => sum + heldBackOf(event), 0);
  // A second more than the storm: it begins and ends within one.
  const most = (burst: number, perMinute: number): number => burst + (perMinute * (STORM_SECONDS + 1)) / 60;
  const mostEvents = Math.min(
    most(GOVERNOR.total_burst, GOVERNOR.total_events_per_minute),
    LOGS.length * most(GOVERNOR.issue_burst, GOVERNOR.issue_events_per_minute),
  );
  console.log(
    `${arrived.length} events arrived, at most ${Math.floor(mostEvents)} are allowed; they told of ${told} held back`,
  );
  console.log(`${driven} errors, ${ended} outcomes`);
  const sent = since('gatewatch_sentry_events_total', 'sent');
  if (ended !== driven || arrived.length !== sent || arrived.length > mostEvents) process.exitCode = 1;
  for (const fault of sentry.faults) console.log(`malformed: ${fault}`);
}

function heldBackOf({ contexts }: Record<string, unknown>): number {
  return (contexts as { held_back?: { count: number } }).held_back?.count ?? 0;
}

async function scrape(sidecarUrl: string): Promise<ScrapedSample[]> {
  return parseSamples(await (await fetch(`${sidecarUrl}/metrics`)).text());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
