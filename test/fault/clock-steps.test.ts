// The system's clock is set forward and back under a running sidecar, and under a running plugin server: every request is
// counted once and in its window, no counter goes down, nothing leaves the ledger, and nobody is told anything twice. And the
// sidecar starts with a clock that is wrong: nothing leaves the ledger, and no producer is forgotten.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBatch } from '../../kong-plugin/contract/batch';
import { SLOTS } from '../../sidecar/ledger/ledger-record';
import { batchOf, deltaOf } from '../support/batches';
import { CountersWatch } from '../support/counters-watch';
import { eventually } from '../support/eventually';
import { ledgerLines, post, postAll, postedBatch, readiness } from '../support/posted-batches';
import { PLUGIN_SERVERS } from '../support/plugin-servers';
import { Producer } from '../support/producer';
import { describeWith } from '../support/program';
import { parseSamples, sumOf } from '../support/samples';
import { SetClock } from '../support/set-clock';
import { SidecarProcess } from '../support/sidecar-process';
import { SpokenPluginServer } from '../support/spoken-plugin-server';
import { WebhookReceiver } from '../support/webhook-receiver';

const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

/** From the true time on, one after the other: a leap second, summer time, a clock that was never set, back again. */
const OFFSETS_S = [1, -1, HOUR_S, -2 * HOUR_S, 8 * DAY_S, 40 * DAY_S, -365 * DAY_S, 0];

/** At starts: an hour before what the ledger saw last, then wrong by more than anything may be idle, and right again. */
const START_OFFSETS_S = [-HOUR_S, 40 * DAY_S, -40 * DAY_S, 400 * DAY_S, 0];

/** Of a producer and a series that nothing else has. */
function busyBatch(sequence: number): Buffer {
  return encodeBatch(batchOf([deltaOf({ service: 'busy' }, [1])], sequence, 'busy'));
}

jest.setTimeout(600_000);

describeWith('faketime', 'a clock that is set', (faketime) => {
  let clock: SetClock;
  let sidecar: SidecarProcess;
  let busySequence = 0;

  beforeEach(() => {
    clock = new SetClock(faketime);
  });

  afterEach(async () => {
    await sidecar.remove();
    clock.remove();
  });

  it('under the sidecar: it counts on, judges on, and what it knows of the past stays', async () => {
    const webhook = await WebhookReceiver.start();
    sidecar = await SidecarProcess.prepare({
      wrap: clock.wrap,
      settings: [
        'evaluation_interval: 1s',
        'rules: [{ name: slow, p95_latency_ms: 1, window: 10m, for: 0s, minimum_requests: 50 }]',
        `channels: [{ name: hook, type: webhook, url: '${webhook.url()}', allow_private_addresses: true }]`,
      ].join('\n'),
    });
    await sidecar.start();
    // Of a producer and of series that are silent from now on.
    await postAll(sidecar.url, 1, 5);
    const watch = new CountersWatch(sidecar.url);
    const producer = new Producer({ sidecar_url: sidecar.url });
    const valueOf = async (name: string, labels: Record<string, string> = {}): Promise<number> =>
      sumOf(await watch.scrape(), name, labels);
    producer.start(500);
    try {
      await webhook.received(1);
      const [series, late] = [
        await valueOf('gatewatch_series'),
        await valueOf('gatewatch_windows_late_requests_total'),
      ];
      for (const offsetS of OFFSETS_S) {
        clock.set(offsetS);
        const [requests, rounds] = [
          await valueOf('gatewatch_requests_total'),
          await valueOf('gatewatch_evaluation_rounds_total', { result: 'ok' }),
        ];
        await eventually(async () => {
          expect(await valueOf('gatewatch_requests_total')).toBeGreaterThan(requests + 200);
          expect(await valueOf('gatewatch_evaluation_rounds_total', { result: 'ok' })).toBeGreaterThan(
            rounds + 1,
          );
          // The sidecar does see the clock that was set.
          const skewS = await valueOf('gatewatch_producer_clock_skew_seconds');
          expect(Math.abs(skewS + offsetS)).toBeLessThan(30);
        });
        expect(await valueOf('gatewatch_alert_state', { rule: 'slow', state: 'firing' })).toBe(1);
        expect(await readiness(sidecar.url)).toBe('200 ready');
      }
      expect(await producer.close()).toBe(0);
      const samples = await watch.end();
      expect(watch.faults).toEqual([]);
      for (const [status, given] of producer.given)
        expect(
          sumOf(samples, 'gatewatch_requests_total', { service: 'orders', status: String(status) }),
        ).toBe(given);
      expect(sumOf(samples, 'gatewatch_windows_late_requests_total')).toBe(late);
      expect(sumOf(samples, 'gatewatch_series')).toBe(series);
      expect(sumOf(samples, 'gatewatch_series_expired_total')).toBe(0);
      expect(webhook.requests).toHaveLength(1);
      await sidecar.end();
      for (const offsetS of START_OFFSETS_S) {
        clock.set(offsetS);
        const lines = await startAndBeBusy();
        expect(sumOf(parseSamples(lines), 'gatewatch_series')).toBe(series + 1);
        expect(sumOf(parseSamples(lines), 'gatewatch_series_expired_total')).toBe(0);
        await sidecar.restart();
        expect(await ledgerLines(sidecar.url)).toBe(lines);
        // Its producer has been silent all the while.
        expect(await post(sidecar.url, postedBatch(5))).toMatchObject({ status: 200, result: 'duplicate' });
        await sidecar.end();
      }
      await sidecar.start();
      await postAll(sidecar.url, 6, 8);
    } finally {
      await watch.end().catch(() => undefined);
      await producer.close();
      await webhook.close();
    }
  });

  /** Starts it and posts so many batches that whatever is idle would go; what the ledger then tells. */
  async function startAndBeBusy(): Promise<string> {
    await sidecar.start();
    for (let more = 0; more < 2 * SLOTS + 1; more++)
      expect(await post(sidecar.url, busyBatch(++busySequence))).toMatchObject({
        result: 'applied',
      });
    return ledgerLines(sidecar.url);
  }

  it.each(PLUGIN_SERVERS)('under $title: each request is in the window of its time', async (program) => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-steps-'));
    sidecar = await SidecarProcess.start();
    const server = await SpokenPluginServer.start({
      program,
      directory,
      config: { sidecar_url: sidecar.url },
      wrap: clock.wrap,
    });
    const watch = new CountersWatch(sidecar.url);
    try {
      for (const offsetS of OFFSETS_S) {
        // What came before the step is sent after it.
        await server.logEvents(100);
        clock.set(offsetS);
        const [command = '', ...args] = clock.wrap(['date', '+%s']);
        const seconds = Number(execFileSync(command, args).toString());
        expect(Math.abs(seconds - Date.now() / 1_000 - offsetS)).toBeLessThan(5);
        await server.logEvents(100);
      }
      await server.end();
      const samples = await watch.end();
      expect(watch.faults).toEqual([]);
      expect(server.answered).toBe(200 * OFFSETS_S.length);
      expect(sumOf(samples, 'gatewatch_requests_total')).toBe(server.answered);
      expect(sumOf(samples, 'gatewatch_windows_late_requests_total')).toBe(0);
    } finally {
      await watch.end().catch(() => undefined);
      await server.end('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
