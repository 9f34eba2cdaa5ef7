// On a sidecar in this process, whose clock the test turns.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SENT_AT_HEADER, encodeBatch } from '../../../kong-plugin/contract/batch';
import { loadConfig } from '../../../sidecar/config/load-config';
import { PRODUCER_IDLE_MS } from '../../../sidecar/ledger/plan-transaction';
import { startSidecar, type Sidecar } from '../../../sidecar/sidecar';
import { batchOf, deltaOf } from '../../support/batches';
import { captureLog } from '../../support/captured-log';
import { ask } from '../../support/http-answer';
import { ManualClock } from '../../support/manual-clock';
import { parseSamples } from '../../support/samples';

let directory: string;
let sidecar: Sidecar;
const clock = new ManualClock();

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-skews-'));
  const file = join(directory, 'gatewatch.yml');
  writeFileSync(file, `listen: 127.0.0.1:0\ndata_dir: ${join(directory, 'data')}\n`);
  const loaded = loadConfig(file);
  if (!loaded.ok) throw new Error('the configuration of this test has faults');
  mkdirSync(loaded.config.dataDirectory);
  sidecar = await startSidecar({
    config: loaded.config,
    configFile: file,
    readAgain: (current) => current,
    version: '0.0.0',
    clock,
    logger: captureLog().logger,
  });
});

afterEach(async () => {
  await sidecar.stop(0);
  rmSync(directory, { recursive: true, force: true });
});

async function send(producer: string, sequence: number, aheadMs: number): Promise<void> {
  const { status } = await ask(`http://${sidecar.address}/v1/batches`, {
    method: 'POST',
    headers: { [SENT_AT_HEADER]: String(clock.nowMs() + aheadMs) },
    body: encodeBatch(batchOf([deltaOf({}, [1])], sequence, producer)),
  });
  expect(status).toBe(200);
}

async function skews(): Promise<Record<string, number>> {
  const { body } = await ask(`http://${sidecar.address}/metrics`);
  return Object.fromEntries<number>(
    parseSamples(body)
      .filter(({ name }) => name === 'gatewatch_producer_clock_skew_seconds')
      .map(({ labels, value }) => [labels['producer'] ?? '', value]),
  );
}

describe("the skew of a producer's clock", () => {
  it('is that of its last batch, and goes when the ledger forgets the producer', async () => {
    await send('replaced', 1, -90_000);
    await send('living', 1, 1_500);
    expect(await skews()).toEqual({ replaced: -90, living: 1.5 });
    clock.pass(PRODUCER_IDLE_MS - 1_000);
    await send('living', 2, 500);
    expect(await skews()).toEqual({ replaced: -90, living: 0.5 });
    clock.pass(2_000);
    await send('living', 3, 0);
    expect(await skews()).toEqual({ living: 0 });
  });
});
