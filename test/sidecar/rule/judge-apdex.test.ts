import type { ApdexRule } from '../../../sidecar/config/rule';
import { judgeApdex } from '../../../sidecar/rule/judge-apdex';
import type { Verdict } from '../../../sidecar/rule/verdict';
import { apdexRule } from '../../support/sample-rules';
import { scopeView, type Times } from '../../support/scope-view';

function judge(rule: ApdexRule, fine: Times, errors = 0): Verdict {
  const requests = fine.reduce((sum, [, count]) => sum + count, errors);
  return judgeApdex(rule, scopeView({ requests, errors, fine }));
}

describe('an Apdex rule of 0.95 with T = 250 ms without a gate', () => {
  it.each<[string, Times, number, number, Verdict['state']]>([
    ['takes T itself as satisfied', [[250, 10]], 0, 1, 'healthy'],
    ['takes just over T as tolerated', [[251, 10]], 0, 0.5, 'breached'],
    ['takes 4T itself as tolerated', [[1_000, 10]], 0, 0.5, 'breached'],
    ['takes just over 4T as frustrated', [[1_001, 10]], 0, 0, 'breached'],
    ['takes an error as frustrated', [[10, 1]], 1, 0.5, 'breached'],
    [
      'is healthy at the threshold',
      [
        [10, 18],
        [300, 2],
      ],
      0,
      0.95,
      'healthy',
    ],
    [
      'is breached just under it',
      [
        [10, 17],
        [300, 2],
      ],
      0,
      18 / 19,
      'breached',
    ],
    [
      'is healthy just over it',
      [
        [10, 19],
        [300, 2],
      ],
      0,
      20 / 21,
      'healthy',
    ],
  ])('%s', (_, fine, errors, value, state) => {
    const verdict = judge(apdexRule(), fine, errors);
    expect(verdict).toMatchObject({ state, threshold: 0.95 });
    expect(verdict.value).toBeCloseTo(value, 12);
  });

  it('rests on errors and on what reached an upstream, not on warnings that did not', () => {
    const view = scopeView({ requests: 100, errors: 2, fine: [[10, 3]] });
    expect(judgeApdex(apdexRule(), view)).toMatchObject({ samples: 5, value: 0.6 });
  });
});

describe('an Apdex rule of 0.9 and 0.7 that resolves at 0.95', () => {
  const rule = apdexRule({
    thresholds: [
      { severity: 'warning', value: 0.9 },
      { severity: 'critical', value: 0.7 },
    ],
    resolveAt: 0.95,
  });

  it.each<[number, Verdict['state'], Verdict['severity'], number]>([
    [951, 'healthy', undefined, 0.9],
    [950, 'healthy', undefined, 0.9],
    [949, 'between', undefined, 0.9],
    [900, 'between', undefined, 0.9],
    [899, 'breached', 'warning', 0.9],
    [700, 'breached', 'warning', 0.9],
    [699, 'breached', 'critical', 0.7],
  ])('with %d satisfied of 1,000 is %s, %s', (satisfied, state, severity, threshold) => {
    expect(
      judge(rule, [
        [10, satisfied],
        [9_000, 1_000 - satisfied],
      ]),
    ).toMatchObject({ state, severity, threshold });
  });
});

describe('an Apdex rule of 0.95 that must be 95 % sure', () => {
  const rule = apdexRule({ confidence: 0.95 });

  // Wilson's upper bound at 95 % of 938 of 1,000 is 0.9494, that of 939 is 0.9503.
  it.each<[string, Times, Verdict['state']]>([
    [
      'is healthy with 950 satisfied of 1,000',
      [
        [10, 950],
        [9_000, 50],
      ],
      'healthy',
    ],
    [
      'cannot tell with 949',
      [
        [10, 949],
        [9_000, 51],
      ],
      'cannot_tell',
    ],
    [
      'cannot tell with 939',
      [
        [10, 939],
        [9_000, 61],
      ],
      'cannot_tell',
    ],
    [
      'is breached with 938',
      [
        [10, 938],
        [9_000, 62],
      ],
      'breached',
    ],
    [
      'is breached as soon by twice as many tolerated',
      [
        [10, 876],
        [300, 124],
      ],
      'breached',
    ],
    ['cannot tell from one frustrated request alone', [[9_000, 1]], 'cannot_tell'],
    [
      'cannot tell from one of two',
      [
        [10, 1],
        [9_000, 1],
      ],
      'cannot_tell',
    ],
    ['is breached by two of two', [[9_000, 2]], 'breached'],
  ])('%s', (_, fine, state) => {
    const doubt = state === 'cannot_tell' ? 'too_few_requests' : undefined;
    expect(judge(rule, fine)).toMatchObject({ state, doubt });
  });
});
