/**
 * Compares embedded stores and layouts for the ledger, each case in processes of its own.
 *   node ledger-store.js                    all cases, one table row each
 *   node ledger-store.js lmdb:rolling:busy  only the named cases (candidate:layout:size)
 * Directory: LEDGER_BENCH_DIR, else ./ledger-bench-data; it should be on a real disk, not on a tmpfs.
 * Out, per batch: KiB charged to the process by the kernel (/proc/self/io write_bytes, Linux only; a dirtied large
 * folio is charged whole), KiB handed to write calls, KiB that reached the disks (/proc/diskstats, everybody's: let
 * the machine be quiet), commit latency until flushed p50/p99/max (ms), encoding and store CPU (ms), the longest stop
 * of the event loop while a batch was
 * being written p50/p99/max (ms), disk use after half and all of the batches (MiB), and open-and-read-all in a fresh
 * process (ms, warm page cache), which recounts every event and fails if one is missing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { candidateNames, openCandidate, whyMissing } from './ledger-candidates';
import type { CandidateName } from './ledger-candidates';
import { Recount, Workload } from './ledger-workload';
import type { Layout, Size } from './ledger-workload';

const BATCHES = 600;
// Batches are ten milliseconds apart, so that background work (compaction) has a little room, as it has in life.
const PAUSE_MS = 10;

const sizes = {
  busy: { series: 5_000, touchedPerBatch: 5_000, minCells: 60, maxCells: 200 },
  'busy-large': { series: 5_000, touchedPerBatch: 5_000, minCells: 400, maxCells: 800 },
  wide: { series: 50_000, touchedPerBatch: 500, minCells: 60, maxCells: 200 },
} satisfies Record<string, Size>;
type SizeName = keyof typeof sizes;
const layouts: readonly Layout[] = ['rewrite', 'fold', 'rolling', 'rolling-ids'];

interface Case {
  readonly candidate: CandidateName;
  readonly layout: Layout;
  readonly size: SizeName;
}

const finalists: readonly CandidateName[] = ['lmdb', 'lmdb-nooverlap', 'level'];
const defaultCases: readonly string[] = [
  ...candidateNames.map((name) => `${name}:rewrite:busy`),
  ...candidateNames.map((name) => `${name}:rolling:busy`),
  ...finalists.flatMap((name) => [
    ...['fold:busy', 'rolling-ids:busy'].map((rest) => `${name}:${rest}`),
    ...['rewrite:busy-large', 'rolling:busy-large', 'rolling-ids:busy-large'].map(
      (rest) => `${name}:${rest}`,
    ),
    ...['rewrite:wide', 'fold:wide', 'rolling-ids:wide'].map((rest) => `${name}:${rest}`),
  ]),
];

function parseCase(text: string): Case {
  const [candidate, layout, size] = text.split(':');
  const found = {
    candidate: candidateNames.find((name) => name === candidate),
    layout: layouts.find((name) => name === layout),
    size: (Object.keys(sizes) as SizeName[]).find((name) => name === size),
  };
  if (found.candidate === undefined || found.layout === undefined || found.size === undefined) {
    throw new Error(
      `"${text}": expected candidate:layout:size with ${candidateNames.join('|')}, ` +
        `${layouts.join('|')}, ${Object.keys(sizes).join('|')}`,
    );
  }
  return { candidate: found.candidate, layout: found.layout, size: found.size };
}

/** KiB written so far: as charged to this process, as handed to write calls, and to all disks by anybody. */
function kibibytesWritten(): { charged: number; handed: number; disks: number } {
  const own = readFileSync('/proc/self/io', 'utf8');
  let sectors = 0;
  for (const line of readFileSync('/proc/diskstats', 'utf8').split('\n')) {
    const fields = line.trim().split(/\s+/);
    // Whole disks only: a partition's sectors are in its disk's already. The tenth field is sectors written.
    if (/^(vd[a-z]+|sd[a-z]+|xvd[a-z]+|nvme\d+n\d+)$/.test(fields[2] ?? '')) sectors += Number(fields[9]);
  }
  return {
    charged: Number(/^write_bytes: (\d+)$/m.exec(own)?.[1]) / 1_024,
    handed: Number(/^wchar: (\d+)$/m.exec(own)?.[1]) / 1_024,
    disks: sectors / 2,
  };
}

function mebibytesOnDisk(directory: string): number {
  let blocks = 0;
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    // A compaction may remove a table between the listing and the look.
    blocks += statSync(join(directory, entry), { throwIfNoEntry: false })?.blocks ?? 0;
  }
  return blocks / 2_048;
}

const round = (value: number): number => Number(value.toPrecision(value < 10 ? 2 : 3));

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number): number => round(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
  return `${at(0.5)}/${at(0.99)}/${at(1)}`;
}

/** Runs the batches of one case and returns its row. */
async function runCase(
  { candidate, layout, size }: Case,
  directory: string,
): Promise<Record<string, unknown>> {
  const workload = new Workload(sizes[size], layout);
  const store = await openCandidate(candidate, directory);
  for (const transaction of workload.initial()) await store.write(transaction);
  await wait(500);

  const commitMs: number[] = [];
  const stoppedMs: number[] = [];
  const mebibytes: number[] = [];
  const loopDelay = monitorEventLoopDelay({ resolution: 1 });
  const before = kibibytesWritten();
  const cpuBefore = process.cpuUsage();
  let encodeMs = 0;
  for (let batch = 1; batch <= BATCHES; batch++) {
    const encodeStart = performance.now();
    const transaction = workload.next();
    encodeMs += performance.now() - encodeStart;
    await wait(PAUSE_MS);
    loopDelay.reset();
    loopDelay.enable();
    const start = performance.now();
    const written = store.write(transaction);
    const handedOver = performance.now();
    await written;
    commitMs.push(performance.now() - start);
    await wait(2);
    loopDelay.disable();
    stoppedMs.push(Math.max(handedOver - start, loopDelay.max / 1e6 - 1));
    if (batch % (BATCHES / 2) === 0) mebibytes.push(round(mebibytesOnDisk(directory)));
  }
  await wait(1_000);
  const cpu = process.cpuUsage(cpuBefore);
  const after = kibibytesWritten();
  const perBatch = (what: keyof typeof after): number => round((after[what] - before[what]) / BATCHES);
  await store.close();
  return {
    'charged KiB': perBatch('charged'),
    'handed KiB': perBatch('handed'),
    'disks KiB': perBatch('disks'),
    'commit ms': spread(commitMs),
    'stop ms': spread(stoppedMs),
    'encode ms': round(encodeMs / BATCHES),
    'store CPU ms': round(((cpu.user + cpu.system) / 1_000 - encodeMs) / BATCHES),
    'disk MiB': mebibytes.join(' -> '),
    events: workload.events,
  };
}

/** Opens what a case left behind, reads all of it and counts the events. */
async function readBack(
  { candidate, layout, size }: Case,
  directory: string,
): Promise<Record<string, unknown>> {
  const recount = new Recount(new Workload(sizes[size], layout), layout);
  const start = performance.now();
  const store = await openCandidate(candidate, directory);
  const deltas: { key: Buffer; value: Buffer }[] = [];
  await store.readAll((key, value) => {
    if (key[0] === 0x73) recount.series(key, value);
    else if (key[0] === 0x64) deltas.push({ key: Buffer.from(key), value: Buffer.from(value) });
  });
  for (const { key, value } of deltas) recount.delta(key, value);
  const row = { 'read ms': round(performance.now() - start), recounted: recount.events };
  await store.close();
  return row;
}

function inChild(mode: string, name: string, directory: string): Record<string, unknown> {
  const child = spawnSync(process.execPath, [__filename, mode, name, directory], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0)
    throw new Error(`${name} ${mode} ended with ${child.status ?? child.signal ?? 'no status'}`);
  return JSON.parse(child.stdout) as Record<string, unknown>;
}

function runAll(names: readonly string[]): void {
  const root = resolve(process.env['LEDGER_BENCH_DIR'] ?? 'ledger-bench-data');
  mkdirSync(root, { recursive: true });
  for (const name of names) {
    const missing = whyMissing(parseCase(name).candidate);
    if (missing !== undefined) {
      console.log(`${name}: ${missing}`);
      continue;
    }
    const directory = mkdtempSync(join(root, 'case-'));
    try {
      const written = inChild('--run', name, directory);
      const read = inChild('--read', name, directory);
      if (written['events'] !== read['recounted']) {
        throw new Error(`${name}: ${String(written['events'])} events in, ${String(read['recounted'])} out`);
      }
      console.log(JSON.stringify({ case: name, ...written, ...read }));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

async function main(): Promise<void> {
  const [mode, name = '', directory = ''] = process.argv.slice(2);
  if (mode === '--run') console.log(JSON.stringify(await runCase(parseCase(name), directory)));
  else if (mode === '--read') console.log(JSON.stringify(await readBack(parseCase(name), directory)));
  else runAll(process.argv.length > 2 ? process.argv.slice(2) : defaultCases);
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
