// On a sidecar in this process, whose clock the test turns.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SENT_AT_HEADER, encodeBatch, type Batch } from '../../../kong-plugin/contract/batch';
import { SILENT_AFTER_MS } from '../../../kong-plugin/contract/heartbeat';
import { loadConfig } from '../../../sidecar/config/load-config';
import { NO_SENTRY } from '../../../sidecar/sentry/own-sentry';
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
    sentry: NO_SENTRY,
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

async function send(batch: Batch, aheadMs = 0): Promise<void> {
  const { status } = await ask(`http://${sidecar.address}/v1/batches`, {
    method: 'POST',
    headers: { [SENT_AT_HEADER]: String(clock.nowMs() + aheadMs) },
    body: encodeBatch(batch),
  });
  expect(status).toBe(200);
}

async function samplesOf(family: string): Promise<Record<string, number>> {
  const { body } = await ask(`http://${sidecar.address}/metrics`);
  return Object.fromEntries<number>(
    parseSamples(body)
      .filter(({ name }) => name === family)
      .map(({ labels, value }) => [labels['producer'] ?? '', value]),
  );
}

const FIGURES = { pendingRequests: 7, eventLoopLagMs: 1_250, residentMemoryBytes: 64_000_000 };

describe('the figures of a producer', () => {
  it('are those of its last batch, and go when it falls silent', async () => {
    await send({ ...batchOf([], 1, 'killed'), process: FIGURES }, -90_000);
    await send({ ...batchOf([], 1, 'living'), process: { ...FIGURES, pendingRequests: 1 } }, 1_500);
    expect(await samplesOf('gatewatch_producer_clock_skew_seconds')).toEqual({ killed: -90, living: 1.5 });
    expect(await samplesOf('gatewatch_plugin_pending_requests')).toEqual({ killed: 7, living: 1 });
    expect(await samplesOf('gatewatch_plugin_event_loop_lag_seconds')).toEqual({
      killed: 1.25,
      living: 1.25,
    });
    clock.pass(SILENT_AFTER_MS);
    await send({ ...batchOf([], 2, 'living'), process: FIGURES }, 500);
    expect(await samplesOf('gatewatch_plugin_pending_requests')).toEqual({ killed: 7, living: 7 });
    clock.pass(1);
    expect(await samplesOf('gatewatch_producer_clock_skew_seconds')).toEqual({ living: 0.5 });
    expect(await samplesOf('gatewatch_plugin_resident_memory_bytes')).toEqual({ living: 64_000_000 });
    // That it was there, and since when it is not, is still told.
    expect(Object.keys(await samplesOf('gatewatch_producer_last_batch_timestamp_seconds'))).toEqual([
      'killed',
      'living',
    ]);
  });

  it('show the longest lag of a minute, so that a scrape does not miss it', async () => {
    let sequence = 0;
    const lagAfter = async (eventLoopLagMs: number): Promise<unknown> => {
      await send({ ...batchOf([], ++sequence, 'stalled'), process: { ...FIGURES, eventLoopLagMs } });
      return (await samplesOf('gatewatch_plugin_event_loop_lag_seconds'))['stalled'];
    };
    expect(await lagAfter(1)).toBe(0.001);
    expect(await lagAfter(5_000)).toBe(5);
    clock.pass(20_000);
    expect(await lagAfter(300)).toBe(5);
    clock.pass(20_000);
    expect(await lagAfter(2)).toBe(5);
    clock.pass(20_000);
    expect(await lagAfter(1)).toBe(0.3);
    clock.pass(20_000);
    expect(await lagAfter(1)).toBe(0.002);
  });

  it('are its clock alone where another process brings what it left', async () => {
    await send(batchOf([], 1, 'adopted'));
    expect(await samplesOf('gatewatch_producer_clock_skew_seconds')).toEqual({ adopted: 0 });
    expect(await samplesOf('gatewatch_plugin_pending_requests')).toEqual({});
  });

  it('go with its goodbye', async () => {
    await send({ ...batchOf([deltaOf({}, [1])], 1, 'leaving'), process: FIGURES });
    await send({ ...batchOf([], 2, 'leaving'), intervals: [], isGoodbye: true });
    for (const family of [
      'gatewatch_producer_clock_skew_seconds',
      'gatewatch_plugin_pending_requests',
      'gatewatch_producer_last_batch_timestamp_seconds',
    ])
      expect(await samplesOf(family)).toEqual({});
    clock.pass(60_000);
    expect((await ask(`http://${sidecar.address}/`)).body).toMatch(
      /leaving +last batch 1 minute ago +number 2 +ended/,
    );
  });
});
