import fc from 'fast-check';
import type { Rule } from '../../../sidecar/config/config';
import { judge } from '../../../sidecar/rule/judge';
import { addDelta, emptyTally, type Tally } from '../../../sidecar/window/tally';
import { sampleDelta, sampleErrors } from '../../support/sample-delta';
import { apdexRule, errorRateRule, p95Rule } from '../../support/sample-rules';

function tallyOf(fine: readonly (number | undefined)[], errors: readonly number[] = []): Tally {
  const tally = emptyTally();
  addDelta(tally, sampleDelta({}, fine));
  addDelta(tally, sampleErrors('shop', errors));
  return tally;
}

function times(count: number, ms: number): number[] {
  return Array.from({ length: count }, () => ms);
}

describe('a p95 rule of 500 ms', () => {
  it.each([
    ['is healthy just under the threshold', times(20, 499), 499, 'healthy'],
    ['is healthy at the threshold', times(20, 500), 500, 'healthy'],
    ['is breached just over the threshold', times(20, 501), 501, 'breached'],
    ['is healthy with 5 slow of 100', [...times(95, 10), ...times(5, 9_000)], 10, 'healthy'],
    ['is breached with 6 slow of 100', [...times(94, 10), ...times(6, 9_000)], 9_000, 'breached'],
    ['judges a single request by its time', [501], 501, 'breached'],
  ])('%s', (_, fine, value, state) => {
    expect(judge(p95Rule(), tallyOf(fine))).toEqual({ state, value, threshold: 500, samples: fine.length });
  });

  it('counts an error by its time too', () => {
    expect(judge(p95Rule(), tallyOf([], times(20, 800)))).toMatchObject({ value: 800, state: 'breached' });
  });

  it('rests only on requests that reached an upstream', () => {
    const tally = tallyOf([600, ...Array.from({ length: 50 }, () => undefined)]);
    expect(judge(p95Rule({ minimumRequests: 2 }), tally)).toEqual({
      state: 'too_few_requests',
      value: 600,
      threshold: 500,
      samples: 1,
    });
  });
});

describe('an error rate rule of 1%', () => {
  it.each([
    ['is healthy just under the threshold', 1_001, 10, 'healthy'],
    ['is healthy at the threshold', 1_000, 10, 'healthy'],
    ['is breached just over the threshold', 999, 10, 'breached'],
    ['is healthy without an error', 1_000, 0, 'healthy'],
    ['is breached when everything fails', 7, 7, 'breached'],
  ])('%s', (_, requests, errors, state) => {
    const tally = tallyOf(times(requests - errors, 10), times(errors, 10));
    expect(judge(errorRateRule(), tally)).toEqual({
      state,
      value: errors / requests,
      threshold: 0.01,
      samples: requests,
    });
  });

  it('counts requests that never reached an upstream', () => {
    const tally = tallyOf([undefined, undefined, undefined], [10]);
    expect(judge(errorRateRule(), tally)).toMatchObject({ value: 0.25, samples: 4 });
  });
});

describe('an Apdex rule of 0.95 with T = 250 ms', () => {
  it.each([
    ['takes T itself as satisfied', times(10, 250), [], 1, 'healthy'],
    ['takes just over T as tolerated', times(10, 251), [], 0.5, 'breached'],
    ['takes 4T itself as tolerated', times(10, 1_000), [], 0.5, 'breached'],
    ['takes just over 4T as frustrated', times(10, 1_001), [], 0, 'breached'],
    ['takes a fast error as frustrated', times(1, 10), times(1, 10), 0.5, 'breached'],
    ['is healthy at the threshold', [...times(18, 10), ...times(2, 300)], [], 0.95, 'healthy'],
    ['is breached just under it', [...times(17, 10), ...times(2, 300)], [], 18 / 19, 'breached'],
    ['is healthy just over it', [...times(19, 10), ...times(2, 300)], [], 20 / 21, 'healthy'],
  ])('%s', (_, fine, errors, value, state) => {
    const verdict = judge(apdexRule(), tallyOf(fine, errors));
    expect(verdict).toMatchObject({ state, threshold: 0.95, samples: fine.length + errors.length });
    expect(verdict.value).toBeCloseTo(value, 12);
  });

  it('does not count a warning that never reached an upstream', () => {
    expect(judge(apdexRule(), tallyOf([10, undefined, undefined])).samples).toBe(1);
  });
});

describe('every rule', () => {
  const rules: [string, (minimumRequests: number) => Rule][] = [
    ['p95', (minimumRequests) => p95Rule({ minimumRequests })],
    ['error rate', (minimumRequests) => errorRateRule({ minimumRequests })],
    ['Apdex', (minimumRequests) => apdexRule({ minimumRequests })],
  ];

  it.each(rules)('%s: has nothing to judge in an empty window', (_, ruleOf) => {
    expect(judge(ruleOf(1), emptyTally())).toMatchObject({
      state: 'too_few_requests',
      value: undefined,
      samples: 0,
    });
  });

  it.each(rules)('%s: tells one request less than the minimum from the minimum', (_, ruleOf) => {
    const bad = tallyOf([], times(20, 9_000));
    expect(judge(ruleOf(21), bad).state).toBe('too_few_requests');
    expect(judge(ruleOf(20), bad).state).toBe('breached');
  });

  it('says the value that a plain computation over the raw requests gives', () => {
    const durations = fc.array(fc.integer({ min: 0, max: 1_999 }), { maxLength: 80 });
    fc.assert(
      fc.property(durations, durations, (fine, errors) => {
        const tally = tallyOf(fine, errors);
        const all = [...fine, ...errors].sort((a, b) => a - b);
        expect(judge(p95Rule(), tally).value).toBe(all[Math.ceil(0.95 * all.length) - 1]);
        const score =
          fine.map((ms) => (ms <= 250 ? 1 : ms <= 1_000 ? 0.5 : 0)).reduce<number>((sum, x) => sum + x, 0) /
          all.length;
        expect(judge(apdexRule(), tally).value).toBe(all.length === 0 ? undefined : score);
      }),
      { numRuns: 200, seed: 2 },
    );
  });
});
