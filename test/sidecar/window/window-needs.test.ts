import type { Rule } from '../../../sidecar/config/rule';
import { cellsKeepOf, longestOf, needsOf, timesKeepOf } from '../../../sidecar/window/window-needs';
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

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const FAST = { severity: 'critical', longMs: HOUR, shortMs: 5 * MINUTE, factor: 14.4 } as const;
const SLOW = { severity: 'critical', longMs: 6 * HOUR, shortMs: 30 * MINUTE, factor: 6 } as const;

function now(windowMs: number) {
  return { windowMs, agoMs: 0 };
}

describe('what rules need of the windows', () => {
  it('is nothing without rules, and nothing for the watch of Kong', () => {
    const watch = needsOf([kongUnreachableRule(), targetUnhealthyRule(), observedRatioRule()]);
    expect(watch).toEqual(needsOf([]));
    expect(longestOf(watch)).toBe(0);
  });

  it('is each distinct window once, of the level that the rule is judged for', () => {
    const needs = needsOf([
      errorRateRule({ windowMs: MINUTE }),
      latencyRule({ windowMs: MINUTE }),
      latencyRule({ windowMs: 30 * MINUTE, each: 'operation' }),
    ]);
    expect(needs.levels.service).toEqual({ latencyMs: [MINUTE], fine: [now(MINUTE)], minutes: [] });
    expect(needs.levels.operation).toEqual({
      latencyMs: [30 * MINUTE],
      fine: [now(30 * MINUTE)],
      minutes: [],
    });
    expect(needs.levels.gateway).toEqual({ latencyMs: [], fine: [], minutes: [] });
    expect(cellsKeepOf(needs)).toBe(30 * MINUTE);
  });

  it('counts overrides in', () => {
    const override = { match: { service: 'pay' }, rule: errorRateRule({ windowMs: 3 * HOUR }) };
    const needs = needsOf([errorRateRule({ overrides: [override, { match: {}, rule: undefined }] })]);
    expect(needs.levels.service.fine).toEqual([now(MINUTE)]);
    expect(needs.levels.service.minutes).toEqual([now(3 * HOUR)]);
  });

  it('reads of an error type the same window of its service, for its requests', () => {
    const needs = needsOf([errorRateRule({ each: 'error_type' })]);
    expect(needs.levels.service.fine).toEqual([now(MINUTE)]);
    expect(needs.levels.error_type.fine).toEqual([now(MINUTE)]);
  });

  it('reads the baseline of a drop or an absence in minutes, before the window, however short it is', () => {
    const drop = needsOf([trafficDropRule({ windowMs: 5 * MINUTE, baselineMs: 30 * MINUTE })]);
    expect(drop.levels.service.fine).toEqual([now(5 * MINUTE)]);
    expect(drop.levels.service.minutes).toEqual([{ windowMs: 30 * MINUTE, agoMs: 5 * MINUTE }]);
    expect(longestOf(drop)).toBe(35 * MINUTE);
    expect(longestOf(needsOf([trafficAbsenceRule()]))).toBe(24 * HOUR + 10 * MINUTE);
    expect(drop.evidenceMs).toBe(0);
  });

  it('reads both windows of each row of a burn rate, in slots up to one hour and in minutes above', () => {
    const needs = needsOf([burnRateRule()]);
    expect(needs.levels.service.fine).toEqual([5 * MINUTE, 30 * MINUTE, HOUR].map(now));
    expect(needs.levels.service.minutes).toEqual([6 * HOUR, 72 * HOUR].map(now));
    expect(needs.levels.service.latencyMs).toEqual([]);
  });

  it.each<[string, readonly Rule[], readonly number[], readonly number[]]>([
    ['T and 4T of an Apdex rule', [apdexRule({ targetMs: 250 })], [250, 1_000], []],
    ['those of a long one in minutes', [apdexRule({ targetMs: 250, windowMs: 2 * HOUR })], [], [250, 1_000]],
    [
      'each once and in order',
      [apdexRule({ targetMs: 400 }), apdexRule({ targetMs: 100 })],
      [100, 400, 1_600],
      [],
    ],
    ['the limit of a burn rate wherever it has windows', [burnRateRule({ latencyMs: 300 })], [300], [300]],
    ['none of the others', [latencyRule(), errorRateRule(), burnRateRule()], [], []],
  ])('counts times by %s', (_, rules, fine, minutes) => {
    const { fineBoundsMs, minuteBoundsMs } = needsOf(rules);
    expect([fineBoundsMs, minuteBoundsMs]).toEqual([fine, minutes]);
  });

  it.each<[string, readonly Rule[], number]>([
    ['of the window of a rule', [errorRateRule({ windowMs: 2 * MINUTE })], 2 * MINUTE],
    ['of the longest window', [apdexRule({ windowMs: 20 * MINUTE }), latencyRule()], 20 * MINUTE],
    ['of the last hour of a window that is longer', [errorRateRule({ windowMs: 6 * HOUR })], HOUR],
    ['of the short windows of a burn rate', [burnRateRule({ windows: [FAST, SLOW] })], 30 * MINUTE],
    ['of the last hour of one that is longer', [burnRateRule()], HOUR],
  ])('keeps what is worst %s', (_, rules, evidenceMs) => {
    expect(needsOf(rules).evidenceMs).toBe(evidenceMs);
  });

  it.each<[string, readonly Rule[], number]>([
    ['as long as what is worst of times', [apdexRule({ windowMs: 30 * MINUTE })], 30 * MINUTE],
    [
      'for five minutes where it is worst of errors',
      [errorRateRule({ windowMs: HOUR }), burnRateRule()],
      5 * MINUTE,
    ],
    [
      'as long as a quantile needs them',
      [burnRateRule(), latencyRule({ windowMs: 10 * MINUTE })],
      10 * MINUTE,
    ],
  ])('keeps upstream times %s', (_, rules, timesMs) => {
    expect(timesKeepOf(needsOf(rules))).toBe(timesMs);
  });
});
