// Each kind of rule as Prometheus itself computes it, from series as the sidecar serves them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Rule } from '../../../sidecar/config/rule';
import { expressionOf } from '../../../sidecar/notify/prometheus-link';
import type { Verdict } from '../../../sidecar/rule/verdict';
import type { Scope } from '../../../sidecar/window/scope';
import { describeWith } from '../../support/program';
import { firingAlert } from '../../support/sample-alerts';
import {
  apdexRule,
  burnRateRule,
  errorRateRule,
  latencyRule,
  trafficDropRule,
} from '../../support/sample-rules';

const SHOP: Scope = { level: 'service', service: 'shop' };

function expression(rule: Rule, scope: Scope = SHOP, verdict: Partial<Verdict> = {}): string {
  const alert = firingAlert({ rule, scope });
  return expressionOf({ ...alert, verdict: { ...alert.verdict, ...verdict } }) ?? '';
}

/** Every minute: 100 requests, of which 10 failed; of the 90 good ones 60 took up to 250 ms, 20 up to 1 s, 10 longer. */
const SERIES = [
  ['gatewatch_requests_total{service="shop",operation="buy",status="200",error_type=""}', 90],
  [
    'gatewatch_requests_total{service="shop",operation="buy",status="500",error_type="upstream_server_error"}',
    10,
  ],
  ['external_request_duration_seconds_bucket{service="shop",operation="buy",status="200",le="0.25"}', 60],
  ['external_request_duration_seconds_bucket{service="shop",operation="buy",status="200",le="1"}', 80],
  ['external_request_duration_seconds_bucket{service="shop",operation="buy",status="200",le="+Inf"}', 90],
  ['external_request_duration_seconds_count{service="shop",operation="buy",status="200"}', 90],
  ['external_request_duration_seconds_bucket{service="shop",operation="buy",status="500",le="0.25"}', 10],
  ['external_request_duration_seconds_bucket{service="shop",operation="buy",status="500",le="1"}', 10],
  ['external_request_duration_seconds_bucket{service="shop",operation="buy",status="500",le="+Inf"}', 10],
  ['external_request_duration_seconds_count{service="shop",operation="buy",status="500"}', 10],
] as const;

const burn = burnRateRule({ objective: 0.99 });

const CASES: [string, string, number][] = [
  ['an error rate', expression(errorRateRule()), 0.1],
  ['an Apdex score', expression(apdexRule({ targetMs: 250 })), (60 + 20 / 2) / 100],
  ['a burn rate', expression(burn), 10],
  ['a burn rate that counts slow ones', expression({ ...burn, latencyMs: 1_000 }), 20],
  ['a quantile', expression(latencyRule({ quantile: 0.5 })), (0.25 * 50) / 70],
  ['traffic', expression(trafficDropRule()), 100 / 60],
  [
    'the share of one error type',
    expression(errorRateRule(), { level: 'error_type', service: 'shop', errorType: 'upstream_server_error' }),
    0.1,
  ],
];

describe('the link to Prometheus', () => {
  it('looks at the window of the row of a burn rate that fired', () => {
    const windows = { longMs: 6 * 3_600_000, shortMs: 1_800_000 };
    expect(expression(burn, SHOP, { windows })).toContain('[6h]');
    expect(expression(burn, SHOP, { windows })).not.toContain('[3d]');
  });
});

describeWith('promtool', 'the link to Prometheus', (promtool) => {
  it.each(CASES)('tells the value of %s', (_what, expr, expected) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gatewatch-expression-'));
    try {
      const file = path.join(folder, 'test.yml');
      const input_series = SERIES.map(([series, perMinute]) => ({ series, values: `0+${perMinute}x6000` }));
      // Rounded as the engine of promtool compares exactly.
      const rounded = `round(${expr}, 1e-9)`;
      const isRight = { expr: `abs(${rounded} - ${expected}) < bool 1e-6`, eval_time: '4000m' };
      const exp_samples = [{ labels: '{}', value: 1 }];
      const tests = [{ interval: '1m', input_series, promql_expr_test: [{ ...isRight, exp_samples }] }];
      writeFileSync(file, JSON.stringify({ rule_files: [], tests }));
      const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', file], { encoding: 'utf8' });
      expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
