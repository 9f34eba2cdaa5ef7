import type { BurnRateRule } from '../../../sidecar/config/rule';
import { judgeBurnRate } from '../../../sidecar/rule/judge-burn-rate';
import { SRE_BURN_RATE_WINDOWS } from '../../../sidecar/config/burn-rate-windows';
import type { Verdict } from '../../../sidecar/rule/verdict';
import { burnRateRule } from '../../support/sample-rules';
import { scopeView, type Happened } from '../../support/scope-view';

const HOUR_MS = 3_600_000;

/** Errors in each window, by its length in hours; none where it is not named. */
type Hours = Readonly<Record<number, number>>;

/** Of 1,000,000 requests in each window. */
function judge(errors: Hours, changes: Partial<BurnRateRule> = {}): Verdict {
  const rule = burnRateRule({ windows: SRE_BURN_RATE_WINDOWS, ...changes });
  return judgeBurnRate(
    rule,
    scopeView((windowMs) => ({ requests: 1_000_000, errors: errors[windowMs / HOUR_MS] ?? 0 })),
  );
}

const MINUTES_5 = 5 / 60;

describe('a burn rate rule of 99.9 % with the windows of the SRE Workbook', () => {
  // 0.1 % is allowed: 14.4 times as much is 14,400 of a million, 6 times 6,000, and once 1,000.
  it.each<[string, Hours, Verdict['state'], Verdict['severity'], number]>([
    ['is healthy at 14.4 in an hour', { 1: 14_400, [MINUTES_5]: 14_400 }, 'healthy', undefined, 1],
    ['is critical just over it', { 1: 14_401, [MINUTES_5]: 14_401 }, 'breached', 'critical', 14.4],
    [
      'is healthy where only the long window burns',
      { 1: 50_000, [MINUTES_5]: 14_400 },
      'healthy',
      undefined,
      1,
    ],
    [
      'is healthy where only the short window burns',
      { 1: 14_400, [MINUTES_5]: 50_000 },
      'healthy',
      undefined,
      1,
    ],
    ['is healthy at 6 in six hours', { 6: 6_000, 0.5: 6_000 }, 'healthy', undefined, 1],
    ['is critical just over it', { 6: 6_001, 0.5: 6_001 }, 'breached', 'critical', 6],
    ['is healthy at 1 in three days', { 72: 1_000, 6: 1_000 }, 'healthy', undefined, 1],
    ['is a warning just over it', { 72: 1_001, 6: 1_001 }, 'breached', 'warning', 1],
  ])('%s', (_, errors, state, severity, threshold) => {
    expect(judge(errors)).toMatchObject({ state, severity, threshold });
  });

  it('says the row, and how fast the slower of its windows burns', () => {
    expect(judge({ 1: 20_000, [MINUTES_5]: 30_000, 72: 5_000, 6: 5_000 })).toEqual({
      state: 'breached',
      severity: 'critical',
      doubt: undefined,
      value: 20,
      threshold: 14.4,
      samples: 1_000_000,
      windows: { longMs: HOUR_MS, shortMs: HOUR_MS / 12 },
    });
    expect(judge({ 72: 500, 6: 200 })).toMatchObject({
      state: 'healthy',
      value: 0.2,
      threshold: 1,
      windows: { longMs: 72 * HOUR_MS, shortMs: 6 * HOUR_MS },
    });
  });

  it.each([0.9, 0.95, 0.99, 0.995, 0.999, 0.9999])('is healthy at the very threshold of %d', (objective) => {
    const allowed = Math.round((1 - objective) * 1e6);
    const factors = [14.4, 6, 1].filter((factor) => factor * allowed <= 1e6);
    for (const factor of factors) {
      const windows = [{ severity: 'error', longMs: HOUR_MS, shortMs: HOUR_MS / 12, factor }] as const;
      const errors = Math.round(factor * allowed);
      const at = (count: number): string =>
        judge({ 1: count, [MINUTES_5]: count }, { objective, windows }).state;
      expect([factor, at(errors)]).toEqual([factor, 'healthy']);
      if (errors < 1e6) expect([factor, at(errors + 1)]).toEqual([factor, 'breached']);
    }
  });

  it('counts slow requests as bad where a latency is given', () => {
    const view = scopeView({
      requests: 1_000,
      errors: 4,
      fine: [
        [300, 986],
        [301, 10],
      ],
    });
    expect(judgeBurnRate(burnRateRule({ latencyMs: 300 }), view)).toMatchObject({
      state: 'breached',
      value: 14,
    });
    expect(judgeBurnRate(burnRateRule({ latencyMs: 301 }), view)).toMatchObject({
      state: 'breached',
      value: 4,
    });
    expect(judgeBurnRate(burnRateRule(), view).value).toBe(4);
  });
});

describe('a burn rate rule that must be 95 % sure', () => {
  const rule = burnRateRule({ confidence: 0.95 });
  const judgeAll = (happened: Happened): Verdict => judgeBurnRate(rule, scopeView(happened));

  it('cannot tell from one failure, however few requests there were', () => {
    for (const requests of [1, 2, 10, 50])
      expect(judgeAll({ requests, errors: 1 })).toMatchObject({
        state: 'cannot_tell',
        doubt: 'too_few_requests',
        threshold: 14.4,
      });
  });

  it('must be sure of both windows', () => {
    const short = { requests: 3, errors: 1 };
    const long = { requests: 1_000, errors: 100 };
    const view = scopeView((windowMs) => (windowMs === HOUR_MS / 12 ? short : long));
    const windows = SRE_BURN_RATE_WINDOWS.slice(0, 1);
    expect(judgeBurnRate({ ...rule, windows }, view)).toMatchObject({
      state: 'cannot_tell',
      doubt: 'too_few_requests',
    });
    expect(judgeBurnRate({ ...rule, windows, confidence: undefined }, view).state).toBe('breached');
  });

  it('takes the worst row that is beyond doubt', () => {
    // 16 in a thousand are over 14.4, but not beyond doubt; they are beyond doubt over 6.
    expect(judgeAll({ requests: 1_000, errors: 16 })).toMatchObject({
      state: 'breached',
      value: 16,
      threshold: 6,
    });
    expect(judgeAll({ requests: 100_000, errors: 1_600 })).toMatchObject({ value: 16, threshold: 14.4 });
  });
});

describe('a burn rate rule of a history that is not whole', () => {
  it('counts time that is not known as free of errors', () => {
    const view = scopeView((windowMs) => ({
      requests: 1_000,
      errors: 4,
      coverage: windowMs === 72 * HOUR_MS ? { covered: 0.25, lost: 0 } : { covered: 1, lost: 0 },
    }));
    expect(judgeBurnRate(burnRateRule(), view)).toMatchObject({ state: 'healthy', value: 1, threshold: 1 });
  });

  const lost = { covered: 0.8, lost: 0.2 };

  /** 100,000 requests in each window, so many of them bad, as far as it is not lost. */
  const judgeLost = (errors: Hours, lostHours: readonly number[]): Verdict =>
    judgeBurnRate(
      burnRateRule({ windows: SRE_BURN_RATE_WINDOWS }),
      scopeView((windowMs) => ({
        requests: 100_000,
        errors: errors[windowMs / HOUR_MS] ?? 0,
        coverage: lostHours.includes(windowMs / HOUR_MS) ? lost : { covered: 1, lost: 0 },
      })),
    );

  it('is healthy where one window of each row is known, and does not burn', () => {
    const allShort = [MINUTES_5, 0.5, 6];
    for (const lostHours of [[72], [1, 72], [MINUTES_5], [MINUTES_5, 0.5]])
      expect([lostHours, judgeLost({ 72: 1_000 }, lostHours).state]).toEqual([lostHours, 'healthy']);
    expect(judgeLost({ 1: 99_000, [MINUTES_5]: 10 }, [1]).state).toBe('healthy');
    expect(judgeLost({ 72: 10 }, allShort).state).toBe('cannot_tell');
  });

  it.each<[string, Hours, readonly number[], Verdict['worstPossible']]>([
    ['both windows of a row', {}, [1, MINUTES_5], 'critical'],
    ['both windows of the mildest row', {}, [6, 72], 'warning'],
    ['the window that does not burn, where the other one does', { 6: 1_000 }, [72], 'warning'],
    ['the same of a severe row', { 1: 20_000 }, [MINUTES_5], 'critical'],
  ])('cannot tell where too much is lost of %s', (_, errors, lostHours, worstPossible) => {
    const verdict = judgeLost(errors, lostHours);
    expect(verdict).toMatchObject({ state: 'cannot_tell', doubt: 'gap', worstPossible });
  });

  it('says which worse row may be breached, where a milder one is', () => {
    const errors = { 72: 1_000, 6: 1_000, 1: 20_000 };
    expect(judgeLost(errors, [])).toMatchObject({ state: 'breached', severity: 'warning' });
    expect(judgeLost(errors, []).worstPossible).toBeUndefined();
    expect(judgeLost(errors, [MINUTES_5])).toMatchObject({
      state: 'breached',
      severity: 'warning',
      worstPossible: 'critical',
    });
  });

  it('is breached where what is known is enough for it', () => {
    const view = scopeView({ requests: 1_000, errors: 20, coverage: lost });
    expect(judgeBurnRate(burnRateRule(), view)).toMatchObject({
      state: 'breached',
      severity: 'critical',
      value: 16,
    });
  });

  it('cannot tell with fewer requests than the minimum in the longest window', () => {
    const view = scopeView({ requests: 99 });
    const verdict = judgeBurnRate(burnRateRule({ minimumRequests: 100 }), view);
    expect(verdict).toMatchObject({ state: 'cannot_tell', doubt: 'too_few_requests', value: 0, samples: 99 });
    expect(judgeBurnRate(burnRateRule({ minimumRequests: 99 }), view).state).toBe('healthy');
  });
});
