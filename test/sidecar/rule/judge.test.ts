import { judgeWindows, type WindowRule } from '../../../sidecar/rule/judge';
import type { Verdict } from '../../../sidecar/rule/verdict';
import {
  apdexRule,
  burnRateRule,
  errorRateRule,
  latencyRule,
  trafficAbsenceRule,
  trafficDropRule,
} from '../../support/sample-rules';
import { scopeView, type Happened } from '../../support/scope-view';

/** Everything is as bad as it gets: all fail, and all are slow. */
function allBad(requests: number, coverage = { covered: 1, lost: 0 }): Happened {
  return { requests, errors: requests, latency: [[9_000, requests]], coverage };
}

const SAMPLED: readonly (readonly [string, (changes: object) => WindowRule])[] = [
  ['latency', latencyRule],
  ['error rate', errorRateRule],
  ['Apdex', apdexRule],
];

const ALL: readonly (readonly [string, (changes: object) => WindowRule])[] = [
  ...SAMPLED,
  ['traffic drop', trafficDropRule],
  ['traffic absence', trafficAbsenceRule],
  ['burn rate', burnRateRule],
];

describe('every rule of the windows', () => {
  it.each(ALL)('%s: has nothing to judge where nothing came', (_, ruleOf) => {
    const nothing: Partial<Verdict> = {
      state: 'cannot_tell',
      doubt: 'no_requests',
      value: undefined,
      samples: 0,
    };
    expect(judgeWindows(ruleOf({}), scopeView({}))).toMatchObject(nothing);
    expect(judgeWindows(ruleOf({ confidence: 0.95 }), scopeView({}))).toMatchObject(nothing);
  });
});

describe('every rule of samples', () => {
  it.each(SAMPLED)('%s: tells one request less than the minimum from the minimum', (_, ruleOf) => {
    const view = scopeView(allBad(20));
    expect(judgeWindows(ruleOf({ minimumRequests: 20 }), view)).toMatchObject({
      state: 'breached',
      doubt: undefined,
    });
    const verdict = judgeWindows(ruleOf({ minimumRequests: 21 }), view);
    expect(verdict).toMatchObject({ state: 'cannot_tell', doubt: 'too_few_requests', samples: 20 });
    expect(verdict.value).toBeDefined();
  });

  it.each(SAMPLED)('%s: cannot tell of a window of which over a tenth is lost', (_, ruleOf) => {
    const verdict = judgeWindows(ruleOf({}), scopeView(allBad(20, { covered: 0.89, lost: 0.11 })));
    expect(verdict).toMatchObject({ state: 'cannot_tell', doubt: 'gap', severity: undefined, samples: 20 });
    const nothing = judgeWindows(ruleOf({}), scopeView({ coverage: { covered: 0.89, lost: 0.11 } }));
    expect(nothing).toMatchObject({ state: 'cannot_tell', doubt: 'gap', value: undefined });
  });

  it.each(SAMPLED)('%s: judges a window of which a tenth is lost', (_, ruleOf) => {
    const verdict = judgeWindows(ruleOf({}), scopeView(allBad(20, { covered: 0.9, lost: 0.1 })));
    expect(verdict.state).toBe('breached');
  });

  it.each(SAMPLED)('%s: judges what there is since the very first start', (_, ruleOf) => {
    const verdict = judgeWindows(ruleOf({}), scopeView(allBad(20, { covered: 0.1, lost: 0 })));
    expect(verdict.state).toBe('breached');
  });

  it.each(SAMPLED)('%s: is at its worst severity when all is bad', (_, ruleOf) => {
    const [mild, severe] = [ruleOf({}), ruleOf({})].map((rule) =>
      'thresholds' in rule ? rule.thresholds[0] : undefined,
    );
    const thresholds = [
      { ...mild, severity: 'info' },
      { ...severe, severity: 'error' },
    ];
    expect(judgeWindows(ruleOf({ thresholds, confidence: 0.95 }), scopeView(allBad(20)))).toMatchObject({
      state: 'breached',
      severity: 'error',
    });
  });
});
