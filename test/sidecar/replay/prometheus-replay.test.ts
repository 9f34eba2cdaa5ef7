// A replay of what a real Prometheus has: an hour and a half with a known incident, written as blocks of its own storage.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeDelta, seriesKey, type Delta } from '../../../kong-plugin/contract/delta';
import { ledgerFamilies } from '../../../sidecar/exposition/ledger-families';
import { deltaOf } from '../../support/batches';
import { ledgerSeriesOf } from '../../support/ledger-series';
import { eventually } from '../../support/eventually';
import { findFreePorts } from '../../support/free-ports';
import { describeWith } from '../../support/program';
import { record, storyBatch, temporaryFolder } from '../../support/recorded-story';
import { replayCommand } from '../../support/replay-command';
import { RunningProgram } from '../../support/running-program';

const START = Date.parse('2025-11-28T12:00:00Z');
const STEP_MS = 15_000;
const MINUTE_MS = 60_000;
const STEPS = 90 * 4;

const RULES = `
rules:
  - { name: errors, error_rate_threshold: 0.05, severity: critical, for: 1m, keep_firing_for: 0s }
  - { name: slow, p95_latency_ms: 500 }
  - { name: somewhat_slow, p95_latency_ms: 800, severity: info }
  - { name: silence, traffic_absence: true, window: 5m, baseline: 30m, for: 0s }
notifications:
  escalation:
    - { after: 0s, channels: [oncall] }
    - { after: 5m, channels: [phone] }
channels:
  - { name: oncall, type: slack, webhook_url: '\${SLACK_WEBHOOK_URL}' }
  - { name: phone, type: webhook, url: '\${PHONE_URL}' }
`;

/** What came in the 15 s before a step: 100 requests for each service, from minute 20 to 30 a fifth of one's failed. */
function deltasOf(step: number): Delta[] {
  const isIncident = step > 20 * 4 && step <= 30 * 4;
  const times = (count: number): number[] =>
    Array.from({ length: count }, (_, index) => (index % 50 === 0 ? 700 : 20));
  const failed = { status: 502, errorType: 'upstream_unreachable', severity: 'error' } as const;
  return [
    deltaOf({ service: 'users' }, times(100)),
    deltaOf({ service: 'orders' }, times(isIncident ? 80 : 100)),
    ...(isIncident ? [deltaOf({ ...failed, service: 'orders' }, times(20))] : []),
  ];
}

/** Samples of every step in OpenMetrics; the counters begin anew at minute 45, and nothing is there from minute 60 to 72. */
function openMetrics(): string {
  const lines: string[] = [];
  let ledger = new Map<string, Delta>();
  for (let step = 0; step <= STEPS; step++) {
    if (step === 45 * 4) ledger = new Map();
    for (const delta of deltasOf(step)) {
      const known = ledger.get(seriesKey(delta.series));
      if (known) mergeDelta(known, delta);
      else ledger.set(seriesKey(delta.series), delta);
    }
    if (step > 60 * 4 && step < 72 * 4) continue;
    const seconds = (START + step * STEP_MS) / 1000;
    for (const { name, samples } of ledgerFamilies([...ledger.values()].map(ledgerSeriesOf), [])) {
      for (const sample of samples) {
        const labels = Object.entries({ ...sample.labels, job: 'gatewatch', instance: 'sidecar:9765' })
          .map(([label, value]) => `${label}="${value}"`)
          .join(',');
        if (!('bounds' in sample)) {
          lines.push(`${name}{${labels}} ${sample.value} ${seconds}`);
          continue;
        }
        sample.bounds.forEach((bound, index) =>
          lines.push(`${name}_bucket{${labels},le="${bound}"} ${sample.counts[index]} ${seconds}`),
        );
        lines.push(`${name}_bucket{${labels},le="+Inf"} ${sample.count} ${seconds}`);
      }
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

interface Report {
  readonly requests: number;
  readonly rules: readonly { readonly rule: string; readonly fired: number; readonly pages: unknown }[];
  readonly channels: readonly unknown[];
  readonly alerts: readonly {
    readonly rule: string;
    readonly firedMs: number;
    readonly resolvedMs: number;
  }[];
  readonly unseen: readonly string[];
}

describeWith('promtool', 'a replay of what Prometheus has', (promtool) => {
  describeWith('prometheus', 'with a real Prometheus', (prometheus) => {
    let folder: string;
    let rules: string;
    let url: string;
    let running: RunningProgram;
    beforeAll(async () => {
      folder = temporaryFolder();
      rules = join(folder, 'gatewatch.yml');
      writeFileSync(rules, RULES);
      const samples = join(folder, 'samples.om');
      writeFileSync(samples, openMetrics());
      const data = join(folder, 'data');
      const made = spawnSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', samples, data]);
      expect(made.stderr.toString()).toBe('');
      const configFile = join(folder, 'prometheus.yml');
      writeFileSync(configFile, 'global: {}\n');
      const port = await findFreePorts(1);
      url = `http://127.0.0.1:${port}`;
      running = new RunningProgram(prometheus, [
        `--config.file=${configFile}`,
        `--storage.tsdb.path=${data}`,
        '--storage.tsdb.retention.time=100y',
        `--web.listen-address=127.0.0.1:${port}`,
      ]);
      await eventually(async () => expect((await fetch(`${url}/-/ready`)).status).toBe(200));
    });
    afterAll(async () => {
      await running.end();
      rmSync(folder, { recursive: true, force: true });
    });

    const span = ['--start', String(START / 1000), '--end', String((START + STEPS * STEP_MS) / 1000)];

    it('finds the alert of the incident at its minute, and the pages that it would have sent', async () => {
      const { code, stdout, stderr } = await replayCommand([
        '--from',
        url,
        '--rules',
        rules,
        '--json',
        ...span,
      ]);
      expect([code, stderr]).toEqual([0, '']);
      const report = JSON.parse(stdout) as Report;
      // Over 5 % of five minutes after 75 s of 20 %, then a minute of `for`; under 5 % again 75 s before the window is past it.
      const [alert, ...others] = report.alerts;
      expect(others).toEqual([]);
      expect(alert).toMatchObject({
        rule: 'errors',
        level: 'service',
        labels: { service: 'orders' },
        severity: 'critical',
        endReason: 'recovered',
        pages: 2,
      });
      const minuteOf = (ms = 0): number => (ms - START) / MINUTE_MS;
      expect(minuteOf(alert?.firedMs)).toBeGreaterThanOrEqual(22.25);
      expect(minuteOf(alert?.firedMs)).toBeLessThan(23);
      expect(minuteOf(alert?.resolvedMs)).toBeGreaterThanOrEqual(33.75);
      expect(minuteOf(alert?.resolvedMs)).toBeLessThan(34.5);
      expect(report.rules.map(({ rule, fired, pages }) => [rule, fired, pages])).toEqual([
        [
          'errors',
          1,
          [
            { channel: 'oncall', pages: 1, bySeverity: { critical: 1 } },
            { channel: 'phone', pages: 1, bySeverity: { critical: 1 } },
          ],
        ],
        ['slow', 0, []],
        ['somewhat_slow', 0, []],
        ['silence', 0, []],
      ]);
      expect(report.channels).toEqual([
        { channel: 'oncall', pages: 1, bySeverity: { critical: 1 }, otherMessages: 1 },
        { channel: 'phone', pages: 1, bySeverity: { critical: 1 }, otherMessages: 1 },
      ]);
    });

    it('counts every request once, over a counter that begins anew and a time that Prometheus slept through', async () => {
      const { stdout } = await replayCommand(['--from', url, '--rules', rules, '--json', ...span]);
      const { requests, unseen } = JSON.parse(stdout) as Report;
      // All but those that were there at the first step.
      expect(requests).toBe(STEPS * 200);
      expect(unseen).toEqual(
        expect.arrayContaining([
          "Times are as exact as the step, 15s, and as Prometheus' scrapes.",
          'No bucket ended at 800 ms, where rules have thresholds: what lies in the bucket around such a threshold counts as ' +
            'over it, so these rules may seem to page more than they would.',
          'Prometheus has nothing from 2025-11-28 13:00:00 UTC to 2025-11-28 13:12:00 UTC; rules could not tell meanwhile.',
        ]),
      );
    });

    it('says what a replay of the recorded batches of the same time says, but for a step', async () => {
      const recorded = join(folder, 'recorded');
      const batches = Array.from({ length: STEPS + 1 }, (_, step) => {
        const told = storyBatch(START + step * STEP_MS, step + 1, []);
        const { receivedMs } = told;
        const intervals = [{ startMs: receivedMs - STEP_MS, durationMs: STEP_MS, deltas: deltasOf(step) }];
        return { ...told, batch: { ...told.batch, intervals } };
      });
      await record(recorded, batches);
      const [ofRecording, ofPrometheus] = await Promise.all(
        [recorded, url].map(async (from) => {
          const args = ['--from', from, '--rules', rules, '--json', ...span];
          return JSON.parse((await replayCommand(args)).stdout) as Report;
        }),
      );
      expect(ofRecording?.alerts).toHaveLength(1);
      expect(ofPrometheus?.rules.map(({ pages }) => pages)).toEqual(
        ofRecording?.rules.map(({ pages }) => pages),
      );
      const [alert, same] = [ofPrometheus?.alerts[0], ofRecording?.alerts[0]];
      expect(Math.abs((alert?.firedMs ?? 0) - (same?.firedMs ?? 0))).toBeLessThanOrEqual(STEP_MS);
      expect(Math.abs((alert?.resolvedMs ?? 0) - (same?.resolvedMs ?? 0))).toBeLessThanOrEqual(STEP_MS);
    });

    it('tells what Prometheus says of a wrong matcher', async () => {
      const args = ['--from', url, '--rules', rules, ...span, '--matcher', 'job='];
      const { code, stderr } = await replayCommand(args);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Prometheus at http:\S+ answers 400 \(bad_data\): 1:\d+: parse error: /);
    });

    it('says that there is nothing of another time', async () => {
      const args = ['--from', url, '--rules', rules, '--start', '2025-11-01', '--end', '2025-11-02'];
      expect(await replayCommand(args)).toMatchObject({
        code: 1,
        stderr:
          'Prometheus has no gatewatch_requests_total from 2025-11-01 00:00:00 UTC to 2025-11-02 00:00:00 UTC\n',
      });
    });
  });
});
