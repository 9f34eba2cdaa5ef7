import type { Alert } from '../../../sidecar/alert/alert';
import { alertId, alertKey } from '../../../sidecar/alert/alert-key';
import type { Rule } from '../../../sidecar/config/rule';
import type { MuteReasons } from '../../../sidecar/route/mute-reasons';
import type { Doubt } from '../../../sidecar/rule/verdict';
import { ruleSection, type RuleFacts } from '../../../sidecar/ui/rule-section';
import { ALERT_START_MS, acknowledgedAlert, firingAlert, resolvedAlert } from '../../support/sample-alerts';
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
} from '../../support/sample-rules';

const MINUTE_MS = 60_000;
const RULE = errorRateRule({ thresholds: [{ severity: 'critical', value: 0.1 }] });
const ID = alertId(alertKey('errors', { level: 'service', service: 'shop' }));

function lines(changes: Partial<RuleFacts>): string[] {
  return ruleSection({
    rules: [RULE],
    evaluationIntervalMs: 5_000,
    alerts: [],
    muteReasons: new Map(),
    hasKong: false,
    nowMs: ALERT_START_MS + 5 * MINUTE_MS,
    ...changes,
  });
}

/** The cells of each row under the headings. */
function rows(changes: Partial<RuleFacts>): string[][] {
  return lines(changes)
    .slice(2)
    .map((line) => line.trim().split(/ {2,}/));
}

function quietAlert(changes: Partial<Alert>): Alert {
  return firingAlert({
    rule: RULE,
    state: 'inactive',
    verdict: {
      state: 'healthy',
      severity: undefined,
      doubt: undefined,
      value: 0.001,
      threshold: 0.1,
      samples: 9,
    },
    sinceMs: undefined,
    firedMs: undefined,
    breachedSinceMs: {},
    firings: [],
    ...changes,
  });
}

const FIRING = firingAlert({ rule: RULE });

describe('what the first page says of an alert', () => {
  it.each<[string, Alert, string[]]>([
    ['that is inactive', quietAlert({}), ['errors', 'service shop', '0.1%', 'over 10%', 'ok']],
    [
      'that is pending, and since when',
      quietAlert({ state: 'pending', sinceMs: ALERT_START_MS + 4 * MINUTE_MS }),
      ['errors', 'service shop', '0.1%', 'over 10%', 'pending for 1 minute'],
    ],
    [
      'that fires, with its id',
      FIRING,
      ['errors', 'service shop', '12.3%', 'over 10%', 'FIRING critical for 5 minutes', `id ${ID}`],
    ],
    [
      'that flaps',
      firingAlert({ rule: RULE, isFlapping: true }),
      ['errors', 'service shop', '12.3%', 'over 10%', 'FIRING critical for 5 minutes, flapping', `id ${ID}`],
    ],
    [
      'that is acknowledged, and by whom',
      acknowledgedAlert(FIRING, 'ada\nlovelace', ALERT_START_MS),
      [
        ...['errors', 'service shop', '12.3%', 'over 10%'],
        ...['acknowledged by ada lovelace, critical for 5 minutes', `id ${ID}`],
      ],
    ],
    [
      'that resolved lately',
      resolvedAlert(FIRING, ALERT_START_MS + MINUTE_MS),
      ['errors', 'service shop', '0.1%', 'over 10%', 'resolved lately'],
    ],
    [
      'of which nothing is known',
      quietAlert({
        state: 'unknown',
        verdict: {
          state: 'cannot_tell',
          severity: undefined,
          doubt: 'no_requests',
          value: undefined,
          threshold: 0.1,
          samples: 0,
        },
      }),
      ['errors', 'service shop', '-', 'over 10%', 'cannot tell', 'no requests'],
    ],
  ])('%s', (_, alert, row) => {
    expect(rows({ alerts: [alert] })).toEqual([row]);
  });

  it.each<[Doubt, string]>([
    ['no_requests', 'no requests'],
    ['too_few_requests', 'too few requests to be sure'],
    ['gap', 'a part of the time is not known'],
    ['kong_unreachable', 'Kong has not said enough yet'],
  ])('says why it fires on while the rule cannot tell: %s', (doubt, words) => {
    const alert = firingAlert({
      rule: RULE,
      verdict: { ...FIRING.verdict, state: 'cannot_tell', severity: undefined, doubt },
    });
    expect(rows({ alerts: [alert] })[0]?.at(-1)).toBe(`id ${ID}; ${words}`);
  });

  it.each<[string, Partial<MuteReasons>, string]>([
    ['a silence', { silences: ['00000000000000aa'] }, 'silenced by 00000000000000aa'],
    ['a maintenance window', { maintenance: ['night'] }, 'in maintenance night'],
    ['another alert', { inhibitedBy: 'any' }, 'hidden by another alert'],
    [
      'all of them',
      { silences: ['00000000000000aa', '00000000000000bb'], maintenance: ['night'], inhibitedBy: 'any' },
      'silenced by 00000000000000aa; silenced by 00000000000000bb; in maintenance night; hidden by another alert',
    ],
  ])('says why nobody is told of it: %s', (_, reasons, words) => {
    const muted: MuteReasons = { silences: [], maintenance: [], inhibitedBy: undefined, ...reasons };
    const muteReasons = new Map([[alertKey('errors', FIRING.scope), muted]]);
    expect(rows({ alerts: [FIRING], muteReasons })[0]?.at(-1)).toBe(`id ${ID}; ${words}`);
    const other = firingAlert({ rule: RULE, scope: { level: 'service', service: 'other' } });
    expect(rows({ alerts: [other], muteReasons })[0]?.at(-1)).toMatch(/^id [0-9a-f]{16}$/);
  });
});

describe('what the first page says of a rule', () => {
  it.each<[string, Rule, string, string]>([
    ['quantile', latencyRule(), 'over 500 ms', 'no requests yet'],
    ['error rate', errorRateRule(), 'over 1%', 'no requests yet'],
    [
      'thresholds of several severities',
      errorRateRule({
        thresholds: [
          { severity: 'warning', value: 0.01 },
          { severity: 'critical', value: 0.05 },
        ],
      }),
      'over 1%, 5%',
      'no requests yet',
    ],
    ['Apdex', apdexRule(), 'under 0.95', 'no requests yet'],
    ['drop of traffic', trafficDropRule(), 'over 50%', 'no requests yet'],
    ['absence of traffic', trafficAbsenceRule(), '-', 'no requests yet'],
    ['burn rate', burnRateRule(), 'over 1x, 6x', 'no requests yet'],
    ['Kong that does not answer', kongUnreachableRule(), '-', 'nothing to watch yet'],
    ['target without an address', targetUnhealthyRule(), '-', 'nothing to watch yet'],
    ['counted share', observedRatioRule(), 'under 99.9%', 'no requests yet'],
  ])('without an alert: %s', (_, rule, threshold, why) => {
    expect(rows({ rules: [rule], hasKong: true })).toEqual([[rule.name, '-', '-', threshold, why]]);
  });

  it('of a burn rate tells the factor of the row that the value is of', () => {
    const rule = burnRateRule();
    const alert = firingAlert({
      rule,
      verdict: {
        state: 'breached',
        severity: 'critical',
        doubt: undefined,
        value: 20,
        threshold: 14.4,
        samples: 100,
        windows: { longMs: 60 * MINUTE_MS, shortMs: 5 * MINUTE_MS },
      },
    });
    expect(rows({ rules: [rule], alerts: [alert] })[0]?.slice(2, 4)).toEqual(['20x', 'over 14.4x']);
  });

  it.each<[string, Rule]>([
    ['kong_unreachable', kongUnreachableRule()],
    ['target_unhealthy', targetUnhealthyRule()],
    ['observed_ratio', observedRatioRule()],
  ])('that is not judged without a Kong to watch: %s', (_, rule) => {
    expect(rows({ rules: [rule] })[0]?.at(-1)).toBe('not watched: set kong.status_urls');
  });

  it('is that nothing is watched where there is none', () => {
    expect(lines({ rules: [] })).toEqual([
      'RULES, judged every 5 seconds',
      '  NONE: nothing is watched. Add rules to the configuration.',
    ]);
  });

  it('has the worst that fires first, then what is pending, then the rest by name', () => {
    const of = (service: string, make: (changes: Partial<Alert>) => Alert, changes: Partial<Alert>): Alert =>
      make({ rule: RULE, scope: { level: 'service', service }, ...changes });
    const alerts = [
      of('fine', quietAlert, {}),
      of('careful', quietAlert, { state: 'pending', sinceMs: ALERT_START_MS }),
      of('bad', firingAlert, { severity: 'warning' }),
      of('also-fine', quietAlert, { state: 'unknown' }),
      of('worse', firingAlert, { severity: 'critical', state: 'acknowledged' }),
    ];
    expect(rows({ alerts }).map(([, of]) => of)).toEqual([
      ...['service worse', 'service bad', 'service careful', 'service also-fine', 'service fine'],
    ]);
  });

  it('has 20 of its alerts and how many more there are', () => {
    const alerts = Array.from({ length: 1_520 }, (_, index) =>
      quietAlert({ scope: { level: 'service', service: `s${String(index).padStart(4, '0')}` } }),
    );
    const late = firingAlert({ rule: RULE, scope: { level: 'service', service: 'z' } });
    const shown = rows({ alerts: [...alerts, late] });
    expect(shown).toHaveLength(21);
    expect(shown[0]?.[1]).toBe('service z');
    expect(shown.at(-1)).toEqual(['errors', 'and 1,501 more']);
    expect(rows({ alerts: alerts.slice(0, 20) })).toHaveLength(20);
    expect(rows({ alerts: alerts.slice(0, 20) }).flat()).not.toContain('and 0 more');
  });

  it('is only of the rules that there are', () => {
    expect(rows({ alerts: [firingAlert({ rule: latencyRule() })] })).toEqual([
      ['errors', '-', '-', 'over 10%', 'no requests yet'],
    ]);
  });
});
