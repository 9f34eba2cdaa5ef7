// What the ledger itself costs, as the sidecar uses it: 5,000 active series, one event for each in every batch.
//   node ledger.js        in the directory of LEDGER_BENCH_DIR, else ./ledger-bench-data; it should be on a real disk
// Out, per batch: KiB handed to write calls and KiB charged to the process by the kernel (/proc/self/io, Linux only; a
// dirtied large page is charged whole), time from bytes to receipt p50/p99/max, CPU. Then: time to open and check the
// store, and to render all series.
import { NO_STATISTICS, batchOf, deltaOf } from '../support/batches';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { encodeBatch } from '../../kong-plugin/contract/batch';
import { ledgerFamilies } from '../../sidecar/exposition/ledger-families';
import { renderFamilies } from '../../sidecar/exposition/render-families';
import { readBatch } from '../../sidecar/ingest/read-batch';
import { Ledger } from '../../sidecar/ledger/ledger';

const SERIES = 5_000;
const BATCHES = 600;
const WARM_UP_BATCHES = 200;

/** A small repeatable generator (xorshift). */
let seed = 20_260_101;
function random(): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) / 0x1_0000_0000;
}

function sealedBatch(sequence: number): Buffer {
  const deltas = Array.from({ length: SERIES }, (_, index) => {
    const upstreamMs = Math.round(
      (200 + (index % 300)) * Math.exp((random() + random() + random() - 1.5) * 0.6),
    );
    const series = {
      service: `backend-service-${Math.floor(index / 50)}`,
      operation: `GET route-of-the-service-${index}`,
    };
    return deltaOf(series, [upstreamMs]);
  });
  const statistics = { ...NO_STATISTICS, events: SERIES };
  const intervals = [{ startMs: sequence * 1_000, durationMs: 1_000, deltas }];
  return encodeBatch({ ...batchOf([], sequence, 'bench'), intervals, statistics });
}

function kibibytes(field: 'wchar' | 'write_bytes'): number {
  return (
    Number(new RegExp(`^${field}: (\\d+)$`, 'm').exec(readFileSync('/proc/self/io', 'utf8'))?.[1]) / 1_024
  );
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  return [0.5, 0.99, 1]
    .map((share) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1))
    .join(' / ');
}

async function main(): Promise<void> {
  const root = resolve(process.env['LEDGER_BENCH_DIR'] ?? 'ledger-bench-data');
  mkdirSync(root, { recursive: true });
  const directory = mkdtempSync(join(root, 'ledger-'));
  try {
    const ledger = Ledger.open(directory);
    const sealed = Array.from({ length: WARM_UP_BATCHES + BATCHES }, (_, index) => sealedBatch(index + 1));
    const durationsMs: number[] = [];
    let [handed, charged, cpu] = [0, 0, process.cpuUsage()];
    for (const [index, bytes] of sealed.entries()) {
      if (index === WARM_UP_BATCHES) {
        [handed, charged, cpu] = [kibibytes('wchar'), kibibytes('write_bytes'), process.cpuUsage()];
      }
      const startMs = performance.now();
      const read = readBatch(bytes);
      if (!read.ok) throw new Error(read.fault.message);
      await ledger.apply(read.batch, bytes, Date.now(), 50_000);
      if (index >= WARM_UP_BATCHES) durationsMs.push(performance.now() - startMs);
    }
    const used = process.cpuUsage(cpu);
    console.log(
      `batch                      ${((sealed.at(-1)?.length ?? 0) / 1_024).toFixed(0)} KiB, ${SERIES} series`,
    );
    console.log(
      `handed to write calls      ${((kibibytes('wchar') - handed) / BATCHES).toFixed(0)} KiB a batch`,
    );
    console.log(
      `charged to the process     ${((kibibytes('write_bytes') - charged) / BATCHES).toFixed(0)} KiB a batch`,
    );
    console.log(`bytes to receipt           ${spread(durationsMs)} ms (p50 / p99 / max)`);
    console.log(
      `CPU                        ${((used.user + used.system) / 1_000 / BATCHES).toFixed(1)} ms a batch`,
    );
    const renderStartMs = performance.now();
    const text = [...renderFamilies(ledgerFamilies(ledger.state.series.values(), []), 'text')].join('');
    console.log(
      `render ${(text.length / 1_048_576).toFixed(1)} MiB of metrics  ${(performance.now() - renderStartMs).toFixed(0)} ms`,
    );
    await ledger.close();
    const openStartMs = performance.now();
    const again = Ledger.open(directory);
    console.log(`open and check             ${(performance.now() - openStartMs).toFixed(0)} ms`);
    if (again.state.requests !== sealed.length * SERIES) throw new Error('requests were lost or doubled');
    await again.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
