import fc from 'fast-check';
import type { ErrorRateRule } from '../../../sidecar/config/rule';
import { judgeErrorRate } from '../../../sidecar/rule/judge-error-rate';
import type { Verdict } from '../../../sidecar/rule/verdict';
import { errorRateRule } from '../../support/sample-rules';
import { scopeView } from '../../support/scope-view';

function judge(rule: ErrorRateRule, errors: number, requests: number): Verdict {
  return judgeErrorRate(rule, scopeView({ requests, errors }));
}

const GATED = errorRateRule({ confidence: 0.95 });

describe('an error rate rule of 1 % without a gate', () => {
  it.each<[string, number, number, Verdict['state']]>([
    ['is healthy just under the threshold', 10, 1_001, 'healthy'],
    ['is healthy at the threshold', 10, 1_000, 'healthy'],
    ['is breached just over the threshold', 10, 999, 'breached'],
    ['is healthy without an error', 0, 1_000, 'healthy'],
    ['is breached when everything fails', 7, 7, 'breached'],
    ['is breached by a single failure', 1, 1, 'breached'],
  ])('%s', (_, errors, requests, state) => {
    expect(judge(errorRateRule(), errors, requests)).toEqual({
      state,
      severity: state === 'breached' ? 'critical' : undefined,
      doubt: undefined,
      value: errors / requests,
      threshold: 0.01,
      samples: requests,
    });
  });
});

describe('an error rate rule of 1 % and 5 % that resolves at 0.5 %', () => {
  const rule = errorRateRule({
    thresholds: [
      { severity: 'warning', value: 0.01 },
      { severity: 'critical', value: 0.05 },
    ],
    resolveAt: 0.005,
  });

  it.each<[number, Verdict['state'], Verdict['severity'], number]>([
    [49, 'healthy', undefined, 0.01],
    [50, 'healthy', undefined, 0.01],
    [51, 'between', undefined, 0.01],
    [100, 'between', undefined, 0.01],
    [101, 'breached', 'warning', 0.01],
    [500, 'breached', 'warning', 0.01],
    [501, 'breached', 'critical', 0.05],
  ])('with %d errors of 10,000 is %s, %s', (errors, state, severity, threshold) => {
    expect(judge(rule, errors, 10_000)).toMatchObject({ state, severity, threshold });
  });

  // Wilson's lower bound at 95 % of 535 of 10,000 is 4.992 %, that of 536 is 5.001 %.
  it('is critical with a gate only where that is beyond doubt', () => {
    const gated = { ...rule, confidence: 0.95 };
    expect(judge(gated, 535, 10_000)).toMatchObject({
      state: 'breached',
      severity: 'warning',
      threshold: 0.01,
    });
    expect(judge(gated, 536, 10_000)).toMatchObject({
      state: 'breached',
      severity: 'critical',
      threshold: 0.05,
    });
  });
});

describe('an error rate rule of 1 % that must be 95 % sure', () => {
  it.each<[string, number, number, Verdict['state']]>([
    ['cannot tell from one failure alone', 1, 1, 'cannot_tell'],
    ['cannot tell from one failure of 50', 1, 50, 'cannot_tell'],
    ['is healthy with one failure of 100', 1, 100, 'healthy'],
    ['is breached by two of two', 2, 2, 'breached'],
    ['cannot tell from two of 190', 2, 190, 'cannot_tell'],
    ['is breached by five of 190', 5, 190, 'breached'],
  ])('%s', (_, errors, requests, state) => {
    const doubt = state === 'cannot_tell' ? 'too_few_requests' : undefined;
    expect(judge(GATED, errors, requests)).toMatchObject({ state, doubt, value: errors / requests });
  });

  it('fires sooner where there is more traffic', () => {
    const leastErrors = (requests: number): number => {
      for (let errors = 0; ; errors += 1)
        if (judge(GATED, errors, requests).state === 'breached') return errors;
    };
    // Of a hundred 3 %, of a thousand 1.6 %, of a hundred thousand 1.052 %, whose lower bound is 1.0002 %.
    expect([100, 1_000, 100_000].map(leastErrors)).toEqual([3, 16, 1_052]);
  });

  it('is never breached by one failure, however few requests there were', () => {
    for (let requests = 1; requests <= 200; requests += 1)
      expect(judge(GATED, 1, requests).state).not.toBe('breached');
  });
});

describe('an error rate rule', () => {
  const sample = fc
    .integer({ min: 1, max: 100_000 })
    .chain((requests) => fc.tuple(fc.integer({ min: 0, max: requests - 1 }), fc.constant(requests)));
  const confidence = fc.constantFrom(undefined, 0.5, 0.9, 0.95, 0.999);
  const threshold = fc.double({ min: 0, max: 0.9, noNaN: true });

  it('is not made better by one more error', () => {
    const badness: Readonly<Record<Verdict['state'], number>> = {
      healthy: 0,
      between: 1,
      cannot_tell: 2,
      breached: 3,
    };
    fc.assert(
      fc.property(sample, confidence, threshold, ([errors, requests], sure, value) => {
        const thresholds = [{ severity: 'error', value } as const];
        const rule = errorRateRule({ thresholds, resolveAt: value / 2, confidence: sure });
        const [one, other] = [judge(rule, errors, requests), judge(rule, errors + 1, requests)];
        expect(badness[other.state]).toBeGreaterThanOrEqual(badness[one.state]);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('is breached at a milder threshold wherever it is at a worse one', () => {
    fc.assert(
      fc.property(sample, confidence, threshold, threshold, ([errors, requests], sure, one, other) => {
        const at = (value: number): Verdict =>
          judge(
            errorRateRule({ thresholds: [{ severity: 'error', value }], confidence: sure }),
            errors,
            requests,
          );
        if (at(Math.max(one, other)).state === 'breached')
          expect(at(Math.min(one, other)).state).toBe('breached');
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it('is breached without a gate wherever it is with one', () => {
    fc.assert(
      fc.property(sample, confidence, threshold, ([errors, requests], sure, value) => {
        const rule = errorRateRule({ thresholds: [{ severity: 'error', value }], confidence: sure });
        if (judge(rule, errors, requests).state !== 'breached') return;
        expect(judge({ ...rule, confidence: undefined }, errors, requests).state).toBe('breached');
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});
