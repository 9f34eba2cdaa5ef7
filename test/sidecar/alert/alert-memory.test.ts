import { acknowledge, advanceAlert } from '../../../sidecar/alert/advance-alert';
import type { Alert } from '../../../sidecar/alert/alert';
import { decodeAlert, encodeAlerts } from '../../../sidecar/alert/alert-memory';
import type { Rule } from '../../../sidecar/config/rule';
import type { Scope } from '../../../sidecar/window/scope';
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
import { VERDICTS, verdictOf } from '../../support/sample-verdicts';

const START = Date.parse('2026-03-01T10:00:00Z');
const MINUTE = 60_000;
const SHOP: Scope = { level: 'service', service: 'shop' };

/** The alert after rounds of one word each, a minute apart. */
function alertAfter(words: string, rule: Rule = latencyRule(), scope: Scope = SHOP): Alert {
  let alert: Alert | undefined;
  for (const [minute, word] of words.split(' ').entries())
    alert = advanceAlert(alert, rule, scope, verdictOf(word), START + minute * MINUTE).alert;
  if (!alert) throw new Error('no rounds');
  return alert;
}

/** As the disk gives it back. */
function stored(alert: Alert): Record<string, unknown> {
  return JSON.parse(JSON.stringify(encodeAlerts([alert])[0])) as Record<string, unknown>;
}

describe('alerts on the disk', () => {
  it.each([
    ['that is inactive', 'good', 0, false],
    ['that is unknown', 'none', 0, false],
    ['that is pending', 'bad', MINUTE, true],
    ['that fires', 'bad', 0, true],
    ['that is resolved', 'bad good', 0, true],
    ['that is inactive and fired lately', `bad good${' good'.repeat(20)}`, 0, true],
    ['that is unknown and fired lately', `bad good${' none'.repeat(20)}`, 0, true],
    ['that is inactive and fired an hour ago', `bad good${' good'.repeat(60)}`, 0, false],
  ])('keep one %s', (_, words, forMs, isKept) => {
    expect(encodeAlerts([alertAfter(words, latencyRule({ forMs }))])).toHaveLength(isKept ? 1 : 0);
  });

  const all: readonly (readonly [Rule, Scope])[] = [
    [latencyRule({ confidence: 0.95, runbookUrl: 'https://runbooks.example/slow' }), SHOP],
    [errorRateRule({ match: { service: 'shop' } }), SHOP],
    [
      errorRateRule({ each: 'error_type' }),
      { level: 'error_type', service: '', errorType: 'upstream_timeout' },
    ],
    [apdexRule({ each: 'operation' }), { level: 'operation', service: 'shop', operation: 'GET /' }],
    [trafficDropRule({ each: 'gateway' }), { level: 'gateway' }],
    [trafficAbsenceRule(), SHOP],
    [burnRateRule({ latencyMs: 500 }), SHOP],
    [burnRateRule(), SHOP],
    [kongUnreachableRule(), { level: 'instance', instance: 'kong:8101' }],
    [targetUnhealthyRule(), { level: 'target', instance: 'kong:8101', upstream: 'up', target: 'a:80' }],
    [observedRatioRule(), { level: 'gateway' }],
  ];

  it.each(all.map(([rule, scope]) => [`${rule.kind} of each ${rule.each}`, rule, scope] as const))(
    'are the same when they are read, with or without the rule in the configuration: %s',
    (_, rule, scope) => {
      const firing = alertAfter('warn gap bad', { ...rule, keepFiringForMs: MINUTE }, scope);
      const alert = acknowledge(firing, 'ann', 'on it', START + 3 * MINUTE).alert;
      expect(decodeAlert(stored(alert), [alert.rule])).toEqual(alert);
      expect(decodeAlert(stored(alert), [])).toEqual(alert);
    },
  );

  it('are the same where the store gives null for what is undefined', () => {
    const alert = alertAfter('bad good');
    const withNull = JSON.stringify(encodeAlerts([alert])[0], (_, value: unknown) =>
      value === undefined ? null : value,
    );
    expect(decodeAlert(JSON.parse(withNull), [latencyRule()])).toEqual(alert);
  });

  it('keep since when one is milder than its severity, and who acknowledged one that is resolved', () => {
    const milder = alertAfter('bad between warn');
    expect(milder.milderSinceMs).toBe(START + MINUTE);
    expect(decodeAlert(stored(milder), [latencyRule()])).toEqual(milder);
    const known = acknowledge(alertAfter('bad'), 'ann', 'on it', START).alert;
    const resolved = advanceAlert(known, latencyRule(), SHOP, verdictOf('good'), START + MINUTE).alert;
    expect(resolved).toMatchObject({ state: 'resolved', acknowledgement: { by: 'ann' } });
    expect(decodeAlert(stored(resolved), [latencyRule()])).toEqual(resolved);
  });

  it('keep what a burn rate was read over', () => {
    const windows = { longMs: 60 * MINUTE, shortMs: 5 * MINUTE };
    const alert: Alert = { ...alertAfter('bad', burnRateRule()), verdict: { ...VERDICTS.bad, windows } };
    expect(decodeAlert(stored(alert), [burnRateRule()])?.verdict.windows).toEqual(windows);
  });

  it('take the rule as it is now, with what an override gives for the scope', () => {
    const special = latencyRule({ resolveAt: 100 });
    const now = latencyRule({ forMs: MINUTE, overrides: [{ match: { service: 'shop' }, rule: special }] });
    const alert = alertAfter('bad');
    expect(decodeAlert(stored(alert), [errorRateRule(), now])).toEqual({ ...alert, rule: special });
    const bank = alertAfter('bad', latencyRule(), { level: 'service', service: 'bank' });
    expect(decodeAlert(stored(bank), [now])).toEqual({ ...bank, rule: now });
  });

  it.each([
    ['is gone', []],
    ['measures something else', [errorRateRule({ name: 'slow' })]],
    ['is for another level', [latencyRule({ each: 'operation' })]],
    ['no longer covers the scope', [latencyRule({ match: { service: 'bank' } })]],
    ['is not for the scope', [latencyRule({ overrides: [{ match: { service: 'shop' }, rule: undefined }] })]],
  ])('keep the rule as it was, without its overrides, where one of its name %s', (_, rules) => {
    const rule = latencyRule({ overrides: [{ match: { service: 'bank' }, rule: undefined }] });
    const alert = alertAfter('bad', rule);
    expect(decodeAlert(stored(alert), rules)).toEqual({ ...alert, rule: { ...rule, overrides: [] } });
  });

  it.each([
    ['nothing', null],
    ['a number', 7],
    ['a text', 'firing'],
    ['a list', []],
    ['an empty record', {}],
  ])('are skipped where they are not as they were written: %s', (_, value) => {
    expect(decodeAlert(value, [latencyRule()])).toBeUndefined();
  });

  it.each([
    ['a state of its own', { state: 'sleeping' }],
    ['a severity of its own', { severity: 'fatal' }],
    ['a moment that is a text', { firedMs: '2026' }],
    ['firings that are no list', { firings: 3 }],
    ['a scope of an unknown level', { scope: { level: 'planet' } }],
    ['a scope without its labels', { scope: { level: 'service' } }],
    ['a rule of an unknown kind', { rule: { ...latencyRule(), kind: 'mood' } }],
    ['a rule without its numbers', { rule: { ...latencyRule(), thresholds: undefined } }],
    ['a verdict of an unknown state', { verdict: { ...VERDICTS.bad, state: 'sleeping' } }],
    ['no beginning', { sinceMs: undefined }],
    ['no moment at which it fired', { firedMs: undefined }],
    ['an end', { resolvedMs: START }],
    [
      'an acknowledgement that its state does not know',
      { acknowledgement: { by: 'ann', comment: '', atMs: START } },
    ],
    ['no acknowledgement that its state needs', { state: 'acknowledged' }],
    ['a run that its state does not know', { state: 'unknown' }],
  ])('are skipped where a firing one has %s', (_, damage) => {
    const whole = stored(alertAfter('bad'));
    expect(decodeAlert(whole, [latencyRule()])).toBeDefined();
    expect(decodeAlert({ ...whole, ...damage }, [latencyRule()])).toBeUndefined();
  });
});
