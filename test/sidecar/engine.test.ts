// All of alerting but the clock, the disk and the network: traffic and Kong's facts in, messages out.
import fc from 'fast-check';
import type { Delta } from '../../kong-plugin/contract/delta';
import { DEFAULT_INHIBITIONS } from '../../sidecar/config/default-config';
import type { InstanceFacts, KongFacts, TargetFacts } from '../../sidecar/kong/kong-facts';
import { EngineRun, many, type Traffic } from '../support/engine-run';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { sampleDelta, sampleErrors } from '../support/sample-delta';
import {
  apdexRule,
  burnRateRule,
  errorRateRule,
  kongUnreachableRule,
  latencyRule,
  observedRatioRule,
  targetUnhealthyRule,
  trafficAbsenceRule,
  trafficDropRule,
} from '../support/sample-rules';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const FINE = sampleDelta({}, [20]);
const SLOW = sampleDelta({}, [900]);
const FAILED = sampleErrors('shop', [20]);

describe('the time from a breach to its message', () => {
  const INTERVAL_MS = 5 * SECOND_MS;
  const breachMs = fc.integer({ min: 61, max: 100 }).map((seconds) => seconds * SECOND_MS);

  /** The traffic of a second: ten requests, all of them bad from the breach on. */
  const turning =
    (bad: Delta, fromMs: number): Traffic =>
    (sinceStartMs) => [many(sinceStartMs >= fromMs ? bad : FINE, 10)];

  it.each([
    // Ten of the 650 requests of a window and a slot are over 1 %: after the first second.
    ['an error rate', errorRateRule(), FAILED, 1],
    ['an error rate that must last', errorRateRule({ forMs: 30 * SECOND_MS }), FAILED, 1],
    // Wilson's lower bound of 20 in 650 is over 1 %, that of 10 is not.
    ['an error rate, with the gate', errorRateRule({ confidence: 0.95 }), FAILED, 2],
    // A twentieth of 650 is passed by the fourth ten.
    ['a p95', latencyRule(), SLOW, 4],
    ['a p95 that must last', latencyRule({ forMs: 60 * SECOND_MS }), SLOW, 4],
    // 5 % of the points of 650 are lost with the fourth ten.
    ['an Apdex', apdexRule({ forMs: 10 * SECOND_MS, targetMs: 200 }), FAILED, 4],
  ] as const)('is at most an interval longer than the window and `for` take: %s', (_, rule, bad, seconds) => {
    fc.assert(
      fc.property(breachMs, (fromMs) => {
        const run = new EngineRun({ rules: [rule], intervalMs: INTERVAL_MS, stepMs: SECOND_MS });
        run.run(fromMs + seconds * SECOND_MS + rule.forMs + 2 * INTERVAL_MS, turning(bad, fromMs));
        expect(run.told).toHaveLength(1);
        const [{ atMs, text } = { atMs: 0, text: '' }] = run.told;
        expect(text).toBe(`slack: fired ${rule.name} shop critical`);
        expect(atMs).toBeGreaterThanOrEqual(fromMs + rule.forMs);
        // From when the rule is breached to the next round, and as many more rounds as `for` is long.
        expect(atMs).toBeLessThanOrEqual(fromMs + seconds * SECOND_MS + rule.forMs + INTERVAL_MS);
      }),
      { numRuns: 15 },
    );
  });

  it('is not cut short by what was bad before', () => {
    const run = new EngineRun({
      rules: [errorRateRule({ forMs: 30 * SECOND_MS, windowMs: 10 * SECOND_MS })],
    });
    run.run(20 * SECOND_MS, () => [many(FAILED, 10)]);
    // For a window and a slot nothing is bad; then the breach begins anew.
    run.run(20 * SECOND_MS, () => [many(FINE, 10)]);
    expect(run.run(30 * SECOND_MS, () => [many(FAILED, 10)])).toEqual([]);
    expect(run.run(5 * SECOND_MS, () => [many(FAILED, 10)])).toEqual(['slack: fired errors shop critical']);
  });
});

describe('low traffic', () => {
  it('never pages on one failure, however long it is the only request, and pages on a few', () => {
    const run = new EngineRun({ rules: [errorRateRule({ confidence: 0.95 })] });
    for (let time = 0; time < 5; time += 1) {
      expect(run.run(5 * SECOND_MS, () => [FAILED])).toEqual([]);
      expect(run.alert('errors', 'shop')).toMatchObject({
        state: 'unknown',
        verdict: { doubt: 'too_few_requests', value: 1, samples: 1 },
      });
      expect(run.run(2 * MINUTE_MS)).toEqual([]);
    }
    expect(run.run(5 * SECOND_MS, () => [many(FAILED, 2)])).toEqual(['slack: fired errors shop critical']);
  });
});

describe('what waits for a digest', () => {
  it('is told by the key of its alert for as long as it waits', () => {
    const policy = { digest: { severities: ['warning'], everyMs: 10 * MINUTE_MS } } as const;
    const rule = errorRateRule({ thresholds: [{ severity: 'warning', value: 0.1 }] });
    const run = new EngineRun({ rules: [rule], policy });
    run.run(MINUTE_MS, () => [many(FAILED, 10)]);
    expect([...run.engine.gathered()]).toEqual([expect.stringContaining('shop')]);
    run.run(11 * MINUTE_MS, () => [many(FAILED, 10)]);
    expect([...run.engine.gathered()]).toEqual([]);
  });
});

describe('inhibition, as it is by default', () => {
  const rules = [errorRateRule(), latencyRule(), apdexRule()];
  const slowErrors = sampleErrors('shop', [900]);

  it('hides that a service is slow while most of its requests fail, and tells it when only that is left', () => {
    const run = new EngineRun({ rules, policy: { inhibitions: DEFAULT_INHIBITIONS } });
    expect(run.run(2 * MINUTE_MS, () => [many(slowErrors, 10)])).toEqual([
      'slack: fired errors shop critical',
    ]);
    for (const name of ['slow', 'apdex']) expect(run.alert(name, 'shop')?.state).toBe('firing');
    const reasons = [...run.engine.muteReasons(run.nowMs, 0).values()];
    expect(reasons).toHaveLength(2);
    for (const { inhibitedBy } of reasons) expect(inhibitedBy).toContain('errors');
    // Another service is slow on its own account.
    const other = sampleDelta({ service: 'other' }, [900]);
    expect(run.run(5 * SECOND_MS, () => [many(slowErrors, 10), many(other, 10)])).toEqual([
      'slack: fired slow other critical',
      'slack: fired apdex other critical',
    ]);

    expect(run.run(2 * MINUTE_MS, () => [many(SLOW, 10), many(other, 10)])).toEqual([
      'slack: resolved errors shop critical',
    ]);
    // Once their windows hold nothing any more of the time in which it failed.
    expect(run.run(2 * MINUTE_MS, () => [many(SLOW, 10), many(other, 10)])).toEqual([
      'slack: fired slow shop critical',
      'slack: fired apdex shop critical',
    ]);
    // What was told ends, each once.
    const otherFine = sampleDelta({ service: 'other' }, [20]);
    expect(run.run(2 * MINUTE_MS, () => [many(FINE, 10), many(otherFine, 10)]).sort()).toEqual([
      'slack: resolved apdex other critical',
      'slack: resolved apdex shop critical',
      'slack: resolved slow other critical',
      'slack: resolved slow shop critical',
    ]);
  });

  it('tells nothing of what was hidden from its beginning to its end', () => {
    const run = new EngineRun({ rules, policy: { inhibitions: DEFAULT_INHIBITIONS } });
    run.run(MINUTE_MS, () => [many(slowErrors, 10)]);
    expect(run.run(3 * MINUTE_MS, () => [many(FINE, 100)])).toEqual(['slack: resolved errors shop critical']);
    expect(run.alert('slow', 'shop')?.state).toBe('resolved');
  });
});

describe('a rule', () => {
  const traffic: Traffic = () => [
    many(sampleDelta({ service: 'shop', operation: 'GET cart' }, [20]), 96),
    many(sampleDelta({ service: 'shop', operation: 'POST order' }, [900]), 4),
    many(sampleErrors('pay', [20]), 1),
    many(
      sampleDelta({ service: 'pay', status: 429, errorType: 'rate_limited', severity: 'warning' }, [5]),
      9,
    ),
    many(sampleDelta({ service: 'pay' }, [20]), 90),
  ];

  it.each([
    ['of the gateway adds all services up', errorRateRule({ each: 'gateway', ...over(0.004) }), ['gateway']],
    ['of the gateway fires on none of a part', errorRateRule({ each: 'gateway', ...over(0.005) }), []],
    ['of services judges each on its own', errorRateRule({ each: 'service', ...over(0.005) }), ['pay']],
    ['of operations judges each on its own', latencyRule({ each: 'operation' }), ['POST order']],
    [
      'of operations may be for one service',
      latencyRule({ each: 'operation', match: { service: 'pay' } }),
      [],
    ],
    [
      'of error types counts those of error severity, of all requests of their service',
      errorRateRule({ each: 'error_type', ...over(0.009) }),
      ['upstream_server_error'],
    ],
    [
      'of a named error type counts it whatever its severity',
      errorRateRule({ each: 'error_type', match: { errorType: 'rate_limited' }, ...over(0.08) }),
      ['rate_limited'],
    ],
    [
      'of a named error type is not breached at its threshold',
      errorRateRule({ each: 'error_type', match: { errorType: 'rate_limited' }, ...over(0.09) }),
      [],
    ],
  ])('%s', (_, rule, fired) => {
    const run = new EngineRun({ rules: [rule] });
    expect(run.run(2 * MINUTE_MS, traffic)).toEqual(
      fired.map((name) => `slack: fired ${rule.name} ${name} critical`),
    );
  });

  it('has other thresholds, or is not there, where an override says so', () => {
    const strict = errorRateRule({ ...over(0.005) });
    const milder = errorRateRule({ ...over(0.5), thresholds: [{ severity: 'warning', value: 0.5 }] });
    const rule = errorRateRule({
      ...over(0.005),
      overrides: [
        { match: { service: 'pay' }, rule: milder },
        { match: { service: 'legacy' }, rule: undefined },
        // The first that matches holds.
        { match: { service: 'pay' }, rule: strict },
      ],
    });
    const run = new EngineRun({ rules: [rule] });
    const failing = (service: string, share: number): Delta[] => [
      many(sampleErrors(service, [20]), share),
      many(sampleDelta({ service }, [20]), 100 - share),
    ];
    expect(
      run.run(MINUTE_MS, () => [...failing('shop', 1), ...failing('pay', 40), ...failing('legacy', 90)]),
    ).toEqual(['slack: fired errors shop critical']);
    expect(run.run(2 * MINUTE_MS, () => [...failing('shop', 1), ...failing('pay', 60)])).toEqual([
      'slack: fired errors pay warning',
    ]);
    expect(run.alert('errors', 'legacy')).toBeUndefined();
  });

  it('that is removed by a reload resolves what it fired, once, and says why', () => {
    const run = new EngineRun({ rules: [errorRateRule(), latencyRule()] });
    run.run(MINUTE_MS, () => [many(FAILED, 10)]);
    run.reconfigure({ rules: [latencyRule()] });
    expect(run.run(MINUTE_MS, () => [many(FAILED, 10)])).toEqual(['slack: resolved errors shop critical']);
    expect(run.messages.at(-1)?.items[0]?.endReason).toBe('rule_removed');
    expect(run.alert('errors', 'shop')).toBeUndefined();
  });

  it('that is changed by a reload goes on with its alerts, and with what its windows hold', () => {
    const run = new EngineRun({ rules: [errorRateRule()] });
    run.run(10 * MINUTE_MS, () => [many(FAILED, 5), many(FINE, 95)]);
    expect(run.told.map(({ text }) => text)).toEqual(['slack: fired errors shop critical']);
    run.reconfigure({ rules: [errorRateRule({ windowMs: 30 * SECOND_MS, ...over(0.02) })] });
    expect(run.run(MINUTE_MS, () => [many(FAILED, 5), many(FINE, 95)])).toEqual([]);
    expect(run.alert('errors', 'shop')).toMatchObject({ state: 'firing', rule: { windowMs: 30_000 } });
    run.reconfigure({ rules: [errorRateRule({ windowMs: 30 * SECOND_MS, ...over(0.06) })] });
    expect(run.run(5 * SECOND_MS, () => [many(FAILED, 5), many(FINE, 95)])).toEqual([
      'slack: resolved errors shop critical',
    ]);
  });

  it('is not judged without a Kong to watch where it is about Kong', () => {
    const run = new EngineRun({ rules: [kongUnreachableRule({ each: 'gateway' }), observedRatioRule()] });
    run.run(MINUTE_MS);
    expect([...run.engine.book.alerts()]).toEqual([]);
  });

  function over(value: number): { thresholds: { severity: 'critical'; value: number }[]; resolveAt: number } {
    return { thresholds: [{ severity: 'critical', value }], resolveAt: value };
  }
});

describe('what the watch of Kong knows', () => {
  const rules = [
    kongUnreachableRule({ name: 'gateway_down', each: 'gateway', forMs: 30 * SECOND_MS }),
    kongUnreachableRule({ name: 'kong_down', severity: 'error', forMs: 30 * SECOND_MS }),
    targetUnhealthyRule({ severity: 'error' }),
    errorRateRule(),
  ];
  const target = (isHealthy: boolean, name = 'shop:80'): TargetFacts => ({
    upstream: 'shop',
    target: name,
    healthyAddresses: isHealthy ? ['10.0.0.1:80'] : [],
    unhealthyAddresses: isHealthy ? [] : ['10.0.0.1:80'],
  });
  const instance = (name: string, changes: Partial<InstanceFacts> = {}): InstanceFacts => ({
    instance: name,
    isReachable: true,
    configurationHash: undefined,
    problem: undefined,
    targets: [target(true)],
    ...changes,
  });
  const facts = (...instances: InstanceFacts[]): KongFacts => ({ instances, observed: () => undefined });
  const runOf = (kong: KongFacts): EngineRun =>
    new EngineRun({ rules, kong, policy: { inhibitions: DEFAULT_INHIBITIONS } });

  it('pages once where no Kong answers: what is behind it is no news', () => {
    const both = facts(instance('kong-1:8101'), instance('kong-2:8101'));
    const run = runOf(both);
    expect(run.run(MINUTE_MS, () => [many(FINE, 10)])).toEqual([]);
    const away = { isReachable: false, targets: [target(false)] };
    run.kong = facts(instance('kong-1:8101', away), instance('kong-2:8101', away));
    expect(run.run(30 * SECOND_MS, () => [many(FAILED, 10)])).toEqual(['slack: fired errors shop critical']);
    expect(run.run(2 * MINUTE_MS, () => [many(FAILED, 10)])).toEqual([
      'slack: fired gateway_down gateway critical',
    ]);
    for (const name of ['kong-1:8101', 'kong-2:8101'])
      expect(run.alert('kong_down', name)?.state).toBe('firing');
    run.kong = both;
    expect(run.run(5 * SECOND_MS, () => [many(FAILED, 10)])).toEqual([
      'slack: resolved gateway_down gateway critical',
    ]);
  });

  it('does not hide services while one of two Kongs is away', () => {
    const run = runOf(
      facts(
        instance('kong-1:8101', { isReachable: false }),
        instance('kong-2:8101', { targets: [target(false), target(true, 'pay:80')] }),
      ),
    );
    expect(run.run(5 * SECOND_MS, () => [many(FAILED, 10)])).toEqual([
      'slack: fired target-away shop:80 error',
      'slack: fired errors shop critical',
    ]);
    expect(run.run(MINUTE_MS, () => [many(FAILED, 10)])).toEqual([
      'slack: fired kong_down kong-1:8101 error',
    ]);
    expect(run.alert('gateway_down')?.state).toBe('inactive');
  });

  it('is nothing before Kong was asked, and pages nobody', () => {
    const run = runOf(facts(instance('kong-1:8101', { isReachable: undefined, targets: [] })));
    expect(run.run(MINUTE_MS)).toEqual([]);
    expect(run.alert('gateway_down')).toMatchObject({
      state: 'unknown',
      verdict: { doubt: 'kong_unreachable' },
    });
  });

  it('is that the plugin is silent where Kong serves more than is counted here', () => {
    const observed = (counted: number): KongFacts => ({
      ...facts(instance('kong-1:8101')),
      observed: () => ({ counted, served: 10_000 }),
    });
    const run = new EngineRun({ rules: [observedRatioRule()], kong: observed(9_990) });
    expect(run.run(MINUTE_MS)).toEqual([]);
    run.kong = observed(9_989);
    expect(run.run(5 * SECOND_MS)).toEqual(['slack: fired unseen gateway critical']);
    run.kong = observed(10_000);
    expect(run.run(5 * SECOND_MS)).toEqual(['slack: resolved unseen gateway critical']);
  });

  it('is not asked of a Kong that is no longer watched: what fires of it and its targets ends in the next round', () => {
    const away = instance('kong-1:8101', { isReachable: false, targets: [] });
    const kong = facts(
      instance('kong-1:8101', { targets: [target(false), target(true, 'pay:80')] }),
      instance('kong-2:8101'),
    );
    const run = new EngineRun({ rules, kong });
    run.run(MINUTE_MS);
    run.kong = facts(away, instance('kong-2:8101'));
    run.run(MINUTE_MS);
    expect(run.told.map(({ text }) => text)).toEqual([
      'slack: fired target-away shop:80 error',
      'slack: fired kong_down kong-1:8101 error',
    ]);
    run.kong = facts(instance('kong-2:8101'));
    expect(run.run(5 * SECOND_MS).sort()).toEqual([
      'slack: resolved kong_down kong-1:8101 error',
      'slack: resolved target-away shop:80 error',
    ]);
    const ends = run.messages.flatMap(({ items }) => items.flatMap(({ endReason }) => endReason ?? []));
    expect(ends).toEqual(['rule_removed', 'rule_removed']);
    expect(run.run(MINUTE_MS)).toEqual([]);
    expect(run.alert('kong_down', 'kong-1:8101')).toBeUndefined();
    expect(run.alert('target-away', 'pay:80')).toBeUndefined();
  });
});

describe('a burn rate over days, with an outage', () => {
  // A thousand requests a minute, of which a share fails: objective 99.9 %, so a budget of 0.1 %.
  const share =
    (bad: number): Traffic =>
    () => [
      { ...FINE, requests: 1_000 - bad, upstream: { count: 0, sumMs: 0, cells: new Map() } },
      ...(bad === 0
        ? []
        : [{ ...FAILED, requests: bad, upstream: { count: 0, sumMs: 0, cells: new Map() } }]),
    ];
  const runOf = (): EngineRun => new EngineRun({ rules: [burnRateRule()], intervalMs: MINUTE_MS });

  it.each([
    // What came in the minute before a window came at its edge, and is in it: 1 h holds 61 minutes here.
    // 1 h: m / 61 x 10 % > 14.4 x 0.1 % from m = 8.8 on.
    [100, 'critical', 9],
    // 1 h: m / 61 x 1.5 % > 1.44 % from m = 58.6 on.
    [15, 'critical', 59],
    // Never 1.44 %. 6 h: m / 361 x 1 % > 6 x 0.1 % from m = 216.6 on.
    [10, 'critical', 217],
    // Never 0.6 %. 3 d: m / 4,321 x 0.3 % > 0.1 % from m = 1,440.3 on.
    [3, 'warning', 1_441],
  ] as const)('of %d in a thousand is %s in minute %d', (bad, severity, minute) => {
    const run = runOf();
    expect(run.run(3 * DAY_MS, share(0))).toEqual([]);
    run.run((minute - 1) * MINUTE_MS, share(bad));
    expect(run.told).toEqual([]);
    expect(run.run(MINUTE_MS, share(bad))).toEqual([`slack: fired burn shop ${severity}`]);
  });

  it('of just the budget never pages', () => {
    const run = runOf();
    expect(run.run(4 * DAY_MS, share(1))).toEqual([]);
    expect(run.alert('burn', 'shop')?.verdict).toMatchObject({ state: 'healthy', value: 1 });
  });

  it('ends soon after the outage, though the long window still remembers it', () => {
    const run = runOf();
    run.run(3 * DAY_MS, share(0));
    run.run(20 * MINUTE_MS, share(100));
    expect(run.told.map(({ text }) => text)).toEqual(['slack: fired burn shop critical']);
    // 5 min: (5 - m) / 5 x 10 % is no longer over 1.44 % from m = 4.28 on; the slot at its edge holds one minute more.
    expect(run.run(4 * MINUTE_MS, share(0))).toEqual([]);
    expect(run.run(2 * MINUTE_MS, share(0))).toEqual(['slack: resolved burn shop critical']);
    expect(run.run(DAY_MS, share(0))).toEqual([]);
  });

  it('is not over-stated by a short history', () => {
    // An hour of 5 in a thousand, of which 6 h and 3 d know nothing before it.
    const run = runOf();
    expect(run.run(4 * HOUR_MS, share(5))).toEqual([]);
    expect(run.run(11 * HOUR_MS, share(5))).toEqual(['slack: fired burn shop warning']);
    // 3 d: m / 4,320 x 0.5 % > 0.1 % from m = 864 on.
    expect(run.told[0]?.atMs).toBe(865 * MINUTE_MS);
  });
});

describe('a second incident', () => {
  const share =
    (bad: number): Traffic =>
    () => [many(FINE, 1_000 - bad), ...(bad === 0 ? [] : [many(FAILED, bad)])];

  it('pages anew while the budget of the first one still burns slowly, and nobody is told that it was milder', () => {
    const run = new EngineRun({ rules: [burnRateRule()], intervalMs: MINUTE_MS });
    run.run(3 * DAY_MS, share(0));
    run.run(30 * MINUTE_MS, share(500));
    expect(run.told.map(({ text }) => text)).toEqual(['slack: fired burn shop critical']);
    expect(run.acknowledge('burn', 'shop')).toEqual(['slack: acknowledged burn shop critical']);
    expect(run.run(2 * HOUR_MS, share(0))).toEqual([]);
    expect(run.alert('burn', 'shop')).toMatchObject({
      state: 'acknowledged',
      severity: 'warning',
      acknowledgement: { by: 'ada' },
    });
    expect(run.run(30 * MINUTE_MS, share(500))).toEqual(['slack: worsened burn shop critical']);
    expect(run.alert('burn', 'shop')).toMatchObject({ state: 'firing', acknowledgement: undefined });
  });

  it('pages anew while a milder threshold of an error rate is passed all the time', () => {
    const thresholds = [
      { severity: 'warning', value: 0.01 },
      { severity: 'critical', value: 0.2 },
    ] as const;
    const run = new EngineRun({ rules: [errorRateRule({ thresholds })] });
    run.run(5 * MINUTE_MS, share(500));
    run.acknowledge('errors', 'shop');
    // The window holds the incident for a minute, and the calm is a quarter of an hour.
    expect(run.run(15 * MINUTE_MS, share(30))).toEqual([]);
    expect(run.alert('errors', 'shop')?.severity).toBe('critical');
    expect(run.run(2 * MINUTE_MS, share(30))).toEqual([]);
    expect(run.alert('errors', 'shop')?.severity).toBe('warning');
    expect(run.run(2 * MINUTE_MS, share(500))).toEqual(['slack: worsened errors shop critical']);
  });
});

describe('traffic that stops', () => {
  const absence = trafficAbsenceRule({ baselineMs: 2 * HOUR_MS });

  it('is told once, after the window, and its return too', () => {
    const run = new EngineRun({ rules: [absence] });
    expect(run.run(3 * HOUR_MS, (ms) => (ms % MINUTE_MS === 0 ? [many(FINE, 2)] : []))).toEqual([]);
    const stoppedMs = run.sinceStartMs;
    expect(run.run(HOUR_MS)).toEqual(['slack: fired absence shop critical']);
    const firedMs = run.told[0]?.atMs ?? 0;
    // The last request came in the last minute.
    expect(firedMs).toBeGreaterThan(stoppedMs + 9 * MINUTE_MS);
    expect(firedMs).toBeLessThanOrEqual(stoppedMs + 10 * MINUTE_MS + 10 * SECOND_MS);
    expect(run.run(5 * SECOND_MS, () => [FINE])).toEqual(['slack: resolved absence shop critical']);
  });

  it('is not told where there was hardly any', () => {
    const run = new EngineRun({ rules: [absence] });
    run.run(3 * HOUR_MS, (ms) => (ms % (2 * MINUTE_MS) === 0 ? [FINE] : []));
    expect(run.run(HOUR_MS)).toEqual([]);
    expect(run.alert('absence', 'shop')).toMatchObject({ state: 'unknown' });
  });

  it('is not told by a sidecar that has not seen the time before', () => {
    const run = new EngineRun({ rules: [absence, trafficDropRule()] });
    run.run(HOUR_MS, () => [many(FINE, 10)]);
    expect(run.run(20 * MINUTE_MS).filter((text) => text.includes('absence'))).toEqual([]);
    expect(run.alert('absence', 'shop')?.verdict).toMatchObject({ state: 'cannot_tell', doubt: 'gap' });
  });

  it('in part is told where more than the threshold is lost', () => {
    const run = new EngineRun({ rules: [trafficDropRule()] });
    run.run(2 * HOUR_MS, () => [many(FINE, 100)]);
    expect(run.run(20 * MINUTE_MS, () => [many(FINE, 51)])).toEqual([]);
    expect(run.run(10 * MINUTE_MS, () => [many(FINE, 20)])).toEqual(['slack: fired drop shop critical']);
  });
});

describe('an acknowledgement', () => {
  const escalation = [
    { afterMs: 0, channels: ['slack'], severities: SEVERITIES },
    { afterMs: 15 * MINUTE_MS, channels: ['phone'], severities: SEVERITIES },
  ];
  const runOf = (): EngineRun =>
    new EngineRun({ rules: [errorRateRule()], channels: ['slack', 'phone'], policy: { escalation } });
  const failing: Traffic = () => [many(FAILED, 10)];

  it('stops the steps that are still to come, and whoever was told is told of it', () => {
    const run = runOf();
    run.run(14 * MINUTE_MS, failing);
    expect(run.acknowledge('errors', 'shop')).toEqual(['slack: acknowledged errors shop critical']);
    expect(run.run(2 * HOUR_MS, failing)).toEqual([]);
    expect(run.run(2 * MINUTE_MS, () => [many(FINE, 10)])).toEqual(['slack: resolved errors shop critical']);
  });

  it('comes too late for a step that has been taken', () => {
    const run = runOf();
    expect(run.run(16 * MINUTE_MS, failing)).toEqual([
      'slack: fired errors shop critical',
      'phone: escalated errors shop critical',
    ]);
    expect(run.told[1]?.atMs).toBe((run.told[0]?.atMs ?? 0) + 15 * MINUTE_MS);
    expect(run.acknowledge('errors', 'shop')).toEqual([
      'slack: acknowledged errors shop critical',
      'phone: acknowledged errors shop critical',
    ]);
    expect(run.acknowledge('errors', 'shop')).toEqual([]);
  });

  it('is of nothing where nothing fires or there is no such alert', () => {
    const run = runOf();
    run.run(MINUTE_MS, () => [many(FINE, 10)]);
    const before = run.engine.routeState;
    expect(run.acknowledge('errors', 'shop')).toEqual([]);
    expect(run.engine.acknowledge('0123456789abcdef', 'ada', '', run.nowMs, 0).outcome).toBe('not_found');
    expect(run.engine.routeState).toBe(before);
  });
});

describe('a round that throws', () => {
  it('changes nothing, and the next one goes on as if it had not been', () => {
    const facts: KongFacts = { instances: [], observed: () => ({ counted: 1, served: 1 }) };
    const broken: KongFacts = {
      ...facts,
      observed: () => {
        throw new Error('a fault of the watch');
      },
    };
    const rules = [errorRateRule({ forMs: 10 * SECOND_MS }), observedRatioRule()];
    const run = new EngineRun({ rules, kong: facts });
    const undisturbed = new EngineRun({ rules, kong: facts });
    for (const one of [run, undisturbed]) one.run(10 * SECOND_MS, () => [many(FAILED, 10)]);
    const [alerts, routeState] = [[...run.engine.book.alerts()], run.engine.routeState];
    expect(alerts.map(({ state }) => state)).toContain('pending');
    run.kong = broken;
    run.nowMs += 2 * SECOND_MS;
    expect(() => run.round()).toThrow('a fault of the watch');
    expect([...run.engine.book.alerts()]).toEqual(alerts);
    expect(run.engine.routeState).toBe(routeState);
    run.kong = facts;
    run.nowMs -= 2 * SECOND_MS;
    for (const one of [run, undisturbed])
      expect(one.run(5 * SECOND_MS, () => [many(FAILED, 10)])).toEqual(['slack: fired errors shop critical']);
    expect(run.messages).toEqual(undisturbed.messages);
  });
});
