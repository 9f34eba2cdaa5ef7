import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { boundsOf } from '../../../sidecar/config/config';
import { renderConfig } from '../../../sidecar/config/render-config';
import type { Rule } from '../../../sidecar/config/rule';
import { configOf, faultsOf } from '../../support/read-config-text';

const SHIPPED = readFileSync(resolve(__dirname, '../../../sidecar/gatewatch.yml'), 'utf8');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function rulesOf(text: string): readonly Rule[] {
  return configOf(`rules:\n${text}`).rules;
}

function ruleOf(text: string): Rule {
  const [rule] = rulesOf(`  - { name: a, ${text} }\n`);
  if (!rule) throw new Error('no rule');
  return rule;
}

function faultOf(text: string): string | undefined {
  const faults = faultsOf(`rules:\n  - { name: a, ${text} }\n`);
  expect(faults).toHaveLength(1);
  return faults[0];
}

describe('a rule', () => {
  it('is of the kind of its key, for each service, and sure of a breach unless it says otherwise', () => {
    expect(ruleOf('error_rate_threshold: 0.01')).toEqual({
      name: 'a',
      kind: 'error_rate',
      each: 'service',
      match: {},
      windowMs: 5 * MINUTE_MS,
      forMs: MINUTE_MS,
      keepFiringForMs: MINUTE_MS,
      runbookUrl: undefined,
      overrides: [],
      thresholds: [{ severity: 'warning', value: 0.01 }],
      resolveAt: 0.01,
      confidence: 0.999,
      minimumRequests: 1,
    });
  });

  const kinds: [text: string, expected: object][] = [
    ['p95_latency_ms: 500', { kind: 'latency', quantile: 0.95 }],
    ['latency_ms: 500', { kind: 'latency', quantile: 0.95 }],
    ['latency_ms: 500, quantile: 0.999', { kind: 'latency', quantile: 0.999 }],
    ['apdex_threshold: 0.9, apdex_target_ms: 100', { kind: 'apdex', targetMs: 100 }],
    ['traffic_drop_threshold: 0.5, baseline: 2h', { kind: 'traffic_drop', baselineMs: 2 * HOUR_MS }],
    [
      'traffic_absence: true',
      { kind: 'traffic_absence', windowMs: 10 * MINUTE_MS, baselineMs: DAY_MS, minimumRequests: 100 },
    ],
    ['kong_unreachable: true', { kind: 'kong_unreachable', each: 'instance', severity: 'error' }],
    ['kong_unreachable: true, each: gateway', { kind: 'kong_unreachable', each: 'gateway' }],
    ['target_unhealthy: true', { kind: 'target_unhealthy', each: 'target', severity: 'error' }],
    [
      'observed_ratio_threshold: 0.999',
      {
        kind: 'observed_ratio',
        each: 'gateway',
        windowMs: 15 * MINUTE_MS,
        forMs: 5 * MINUTE_MS,
        thresholds: [{ severity: 'error', value: 0.999 }],
      },
    ],
    ['slo_objective: 0.999, slo_latency_ms: 800', { kind: 'burn_rate', objective: 0.999, latencyMs: 800 }],
  ];
  it.each(kinds)('with %s is %o', (text, expected) => {
    expect(ruleOf(text)).toMatchObject(expected);
  });

  it("of an objective alone has the SRE workbook's burn rates, the most severe first", () => {
    expect(ruleOf('slo_objective: 0.999')).toMatchObject({
      windowMs: 3 * DAY_MS,
      forMs: 0,
      windows: [
        { severity: 'critical', longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, factor: 14.4 },
        { severity: 'critical', longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, factor: 6 },
        { severity: 'warning', longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS, factor: 1 },
      ],
    });
  });

  it('has a threshold for each severity, and one at which it resolves', () => {
    expect(ruleOf('error_rate_threshold: { critical: 0.05, warning: 0.01, resolve: 0.005 }')).toMatchObject({
      thresholds: [
        { severity: 'warning', value: 0.01 },
        { severity: 'critical', value: 0.05 },
      ],
      resolveAt: 0.005,
    });
    expect(ruleOf('apdex_threshold: { warning: 0.9, error: 0.7 }')).toMatchObject({ resolveAt: 0.9 });
  });

  it('judges by the value alone with confidence: off', () => {
    expect(ruleOf('error_rate_threshold: 0.01, confidence: off')).toMatchObject({ confidence: undefined });
    expect(ruleOf('error_rate_threshold: 0.01, confidence: 0.99')).toMatchObject({ confidence: 0.99 });
  });

  it('has overrides that say only what differs', () => {
    const [rule] = rulesOf(
      [
        '  - name: slow',
        '    p95_latency_ms: 500',
        '    severity: error',
        '    window: 10m',
        '    overrides:',
        '      - match: { service: reports }',
        '        p95_latency_ms: { error: 3000, critical: 9000 }',
        '      - match: { service: batch }',
        '        disabled: true',
        '      - match: { service: slow }',
        '        for: 5m',
        '',
      ].join('\n'),
    );
    const expected = { name: 'slow', kind: 'latency', windowMs: 10 * MINUTE_MS, overrides: [] };
    expect(rule?.overrides).toMatchObject([
      {
        match: { service: 'reports' },
        rule: { ...expected, thresholds: [{ severity: 'error', value: 3_000 }, { value: 9_000 }] },
      },
      { match: { service: 'batch' }, rule: undefined },
      {
        match: { service: 'slow' },
        rule: { ...expected, thresholds: [{ severity: 'error', value: 500 }], forMs: 5 * MINUTE_MS },
      },
    ]);
    expect(boundsOf(rule ? [rule] : [])).toEqual([500, 3_000, 9_000]);
  });

  const faults: [text: string, fault: string][] = [
    [
      'error_rate_threshold: { warning: 0.05, critical: 0.01 }',
      'rules[0].error_rate_threshold.critical: expected a value over that of warning, 0.05, found 0.01',
    ],
    [
      'apdex_threshold: { warning: 0.9, critical: 0.95 }',
      'rules[0].apdex_threshold.critical: expected a value under that of warning, 0.9, found 0.95',
    ],
    [
      'error_rate_threshold: { warning: 0.01, resolve: 0.02 }',
      'rules[0].error_rate_threshold.warning: expected a value over that of resolve, 0.02, found 0.01',
    ],
    [
      'error_rate_threshold: { resolve: 0.02 }',
      'rules[0].error_rate_threshold: expected at least one of info, warning, error, critical, found none',
    ],
    [
      'error_rate_threshold: { warning: 1 }',
      'rules[0].error_rate_threshold.warning: expected a number from 0 to below 1, such as 0.01 for 1 %, found 1',
    ],
    [
      'error_rate_threshold: { warnning: 0.01 }',
      'rules[0].error_rate_threshold.warnning: expected one of the keys info, warning, error, critical, resolve, found warnning (did you mean warning?)',
    ],
    [
      'error_rate_threshold: { warning: 0.01 }, severity: critical',
      'rules[0].severity: expected no severity beside one in error_rate_threshold, found "critical"',
    ],
    [
      'error_rate_threshold: { warning: 0.01 }, overrides: [{ match: { service: x }, severity: info }]',
      'rules[0].overrides[0].severity: expected no severity beside one in error_rate_threshold, found "info"',
    ],
    [
      'error_rate_threshold: 0.1, overrides: [{ match: { service: x }, error_rate_threshold: { info: 0.2 }, severity: info }]',
      'rules[0].overrides[0].severity: expected no severity beside one in error_rate_threshold, found "info"',
    ],
    ['slo_objective: 0.99, severity: info', 'rules[0].severity: expected severity only beside'],
    [
      'p95_latency_ms: { warning: 2504 }',
      'rules[0].p95_latency_ms.warning: expected a number of ms with at most three significant digits above 2000, to which times are kept; the nearest is 2500, found 2504',
    ],
    ['p95_latency_ms: 500, quantile: 0.99', 'rules[0].quantile: expected quantile only beside latency_ms'],
    ['latency_ms: 500, quantile: 1', 'rules[0].quantile: expected a number from 0.5 to 0.9999'],
    ['latency_ms: 500, window: 2h', 'rules[0].window: expected a window of at most 1h, found "2h"'],
    [
      'traffic_drop_threshold: 0.5, window: 2h',
      'rules[0].window: expected a window of at most the baseline, 1h, found "2h"',
    ],
    [
      'traffic_drop_threshold: 0.5, baseline: 20m, overrides: [{ match: { service: x }, window: 50m }]',
      'rules[0].overrides[0].window: expected a window of at most the baseline, 20m, found "50m"',
    ],
    [
      'traffic_drop_threshold: 0.5, window: 50m, overrides: [{ match: { service: x }, baseline: 20m }]',
      'rules[0].overrides[0].baseline: expected a baseline as long as the window, 50m, or longer, found "20m"',
    ],
    [
      'observed_ratio_threshold: 0.999, window: 2d',
      'rules[0].window: expected a window of at most 1d3h46m, for which Kong\'s counters are kept at a kong.interval of 10s, found "2d"',
    ],
    ['kong_unreachable: true, window: 5m', 'rules[0].window: expected window only beside'],
    [
      'kong_unreachable: true, each: service',
      'rules[0].each: expected each: gateway or instance, found "service"',
    ],
    ['kong_unreachable: false', 'rules[0].kong_unreachable: expected true, found false'],
    [
      'error_rate_threshold: 0.1, each: instance',
      'rules[0].each: expected each: instance only beside kong_unreachable',
    ],
    [
      'p95_latency_ms: 500, each: error_type',
      'rules[0].each: expected each: error_type only beside error_rate_threshold',
    ],
    [
      'p95_latency_ms: 500, match: { operation: GET x }',
      'rules[0].match.operation: expected only service, since each is service, found operation',
    ],
    [
      'p95_latency_ms: 500, each: gateway, match: { service: x }',
      'rules[0].match.service: expected no label, since each is gateway, found service',
    ],
    [
      'p95_latency_ms: 500, overrides: [{ match: {}, for: 5m }]',
      'rules[0].overrides[0].match: expected at least one label, such as `service: checkout`, found none',
    ],
    [
      'p95_latency_ms: 500, overrides: [{ match: { service: x }, error_rate_threshold: 0.1 }]',
      'rules[0].overrides[0]: expected no other kind than that of the rule, p95_latency_ms, found error_rate_threshold',
    ],
    [
      'p95_latency_ms: 500, overrides: [{ match: { service: x }, windw: 5m }]',
      'rules[0].overrides[0].windw: expected one of the keys match, disabled, p95_latency_ms,',
    ],
    [
      'slo_objective: 99.9',
      'rules[0].slo_objective: expected a number from 0.5 to below 1, such as 0.999, found 99.9',
    ],
    [
      'slo_objective: 0.99, burn_rates: [{ severity: error, long: 1h, short: 2h, factor: 2 }]',
      'rules[0].burn_rates[0].short: expected a window shorter than long, found "2h"',
    ],
    [
      'error_rate_threshold: 0.1, confidence: 1',
      'rules[0].confidence: expected a number from 0.5 to below 1, such as 0.95, or off, found 1',
    ],
    ['kong_unreachable: true, confidence: 0.9', 'rules[0].confidence: expected confidence only beside'],
  ];
  it.each(faults)('with %s is refused', (text, fault) => {
    expect(faultOf(text)).toContain(fault);
  });

  it('with a short window of a burn rate that is shorter than a round is refused', () => {
    const rows = '[{ severity: error, long: 1h, short: 1m, factor: 2 }]';
    const faultsAt = (interval: string): string[] =>
      faultsOf(
        `evaluation_interval: ${interval}\nrules: [{ name: a, slo_objective: 0.99, burn_rates: ${rows} }]\n`,
      );
    expect(faultsAt('1m')).toEqual([]);
    expect(faultsAt('61s')).toEqual([
      expect.stringContaining(
        'rules[0].burn_rates[0].short: expected a window as long as the evaluation_interval or longer, found "1m"',
      ),
    ]);
  });

  it("with a window that goes back further than Kong's counters are kept is refused", () => {
    const faultsWith = (window: string): string[] =>
      faultsOf(
        `kong: { interval: 1s }\nrules: [{ name: a, observed_ratio_threshold: 0.9, window: ${window} }]\n`,
      );
    expect(faultsWith('2h46m')).toEqual([]);
    expect(faultsWith('3h')).toEqual([
      expect.stringContaining('rules[0].window: expected a window of at most 2h46m, for which'),
    ]);
  });
});

describe('the configuration in force', () => {
  const examples = SHIPPED.slice(
    SHIPPED.indexOf('#  - name: error_budget'),
    SHIPPED.indexOf("# Kong's status API"),
  ).replace(/^#/gm, '');

  it('means the same when it is read again', () => {
    const all = [
      'rules:',
      '  - { name: l, latency_ms: { warning: 5, critical: 9, resolve: 4 }, quantile: 0.99, each: operation }',
      '  - { name: e, error_rate_threshold: 0.1, each: error_type, match: { error_type: rate_limited } }',
      '  - { name: x, apdex_threshold: 0.9, confidence: off, overrides: [{ match: { service: b }, for: 9m }] }',
      '  - { name: d, traffic_drop_threshold: 0.4 }',
      '  - { name: n, traffic_absence: true, overrides: [{ match: { service: b }, disabled: true }] }',
      '  - { name: b, slo_objective: 0.99, runbook_url: "https://r.example" }',
      '  - { name: g, kong_unreachable: true, each: gateway }',
      '  - { name: k, kong_unreachable: true }',
      '  - { name: t, target_unhealthy: true }',
      '  - { name: o, observed_ratio_threshold: 0.99 }',
      '',
    ].join('\n');
    for (const text of ['', all]) {
      const config = configOf(text);
      expect(configOf(renderConfig(config))).toEqual(config);
    }
  });

  it('has examples of rules that are right when the comment is taken away', () => {
    const text = `rules:\n${examples}`;
    expect((parse(text) as { rules: { name: string }[] }).rules.map(({ name }) => name)).toEqual([
      'error_budget',
      'checkout_is_slow',
      'no_traffic',
    ]);
    expect(configOf(text).rules.map(({ kind }) => kind)).toEqual(['burn_rate', 'latency', 'traffic_absence']);
  });
});
