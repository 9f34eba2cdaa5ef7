import { judgeTrafficAbsence, judgeTrafficDrop } from '../../../sidecar/rule/judge-traffic';
import type { Verdict } from '../../../sidecar/rule/verdict';
import type { Coverage, ScopeView } from '../../../sidecar/window/scope-view';
import { ScopeWindows } from '../../../sidecar/window/scope-windows';
import { needsOf } from '../../../sidecar/window/window-needs';
import { sampleDelta } from '../../support/sample-delta';
import { trafficAbsenceRule, trafficDropRule } from '../../support/sample-rules';
import { scopeView } from '../../support/scope-view';

const WHOLE: Coverage = { covered: 1, lost: 0 };

/** So many requests in the window, and in the baseline before it. */
function traffic(
  now: number,
  before: number,
  coverage: { now?: Coverage; before?: Coverage } = {},
): ScopeView {
  return scopeView((_, agoMs) =>
    agoMs === 0
      ? { requests: now, coverage: coverage.now ?? WHOLE }
      : { requests: before, coverage: coverage.before ?? WHOLE },
  );
}

describe('a rule of half the traffic of an hour, lost for 5 minutes', () => {
  it('asks for the window and for the time before it', () => {
    const asked: (readonly [number, number])[] = [];
    const view = scopeView((windowMs, agoMs) => {
      asked.push([windowMs, agoMs]);
      return { requests: 1 };
    });
    judgeTrafficDrop(trafficDropRule(), view);
    expect(new Set(asked.map(String))).toEqual(new Set(['300000,0', '3600000,300000']));
  });

  // 1,200 in an hour make 100 in 5 minutes.
  it.each<[string, number, number, Verdict['state']]>([
    ['is healthy just under the threshold', 51, 0.49, 'healthy'],
    ['is healthy at the threshold', 50, 0.5, 'healthy'],
    ['is breached just over the threshold', 49, 0.51, 'breached'],
    ['is breached when nothing comes', 0, 1, 'breached'],
    ['is healthy when nothing is lost', 100, 0, 'healthy'],
    ['is healthy with more than before', 300, 0, 'healthy'],
  ])('%s', (_, now, value, state) => {
    const verdict = judgeTrafficDrop(trafficDropRule(), traffic(now, 1_200));
    expect(verdict).toMatchObject({ state, value, threshold: 0.5, samples: 1_200 + now });
  });

  it.each([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])('is healthy at a threshold of %d too', (threshold) => {
    const rule = trafficDropRule({ thresholds: [{ severity: 'error', value: threshold }] });
    const left = Math.round(100 * (1 - threshold));
    expect(judgeTrafficDrop(rule, traffic(left, 1_200)).state).toBe('healthy');
    expect(judgeTrafficDrop(rule, traffic(left - 1, 1_200)).state).toBe('breached');
  });

  it('has a severity for each threshold, and its own resolve', () => {
    const rule = trafficDropRule({
      thresholds: [
        { severity: 'warning', value: 0.5 },
        { severity: 'critical', value: 0.9 },
      ],
      resolveAt: 0.25,
    });
    const judged = [75, 74, 50, 49, 10, 9].map((now) => judgeTrafficDrop(rule, traffic(now, 1_200)));
    expect(judged.map(({ state, severity }) => [state, severity])).toEqual([
      ['healthy', undefined],
      ['between', undefined],
      ['between', undefined],
      ['breached', 'warning'],
      ['breached', 'warning'],
      ['breached', 'critical'],
    ]);
  });

  it('is sure of a smaller loss where there is more traffic', () => {
    const rule = trafficDropRule({ confidence: 0.95 });
    const most = (before: number): number => {
      for (let now = before / 12; ; now -= 1)
        if (judgeTrafficDrop(rule, traffic(now, before)).state === 'breached') return (12 * now) / before;
    };
    const [low, high] = [most(120), most(120_000)];
    expect(low).toBeLessThan(0.2);
    expect(high).toBeGreaterThan(0.48);
    expect(high).toBeLessThan(0.5);
    expect(judgeTrafficDrop(rule, traffic(4, 120))).toMatchObject({
      state: 'cannot_tell',
      doubt: 'too_few_requests',
    });
  });

  it('does not fire where one request is missed', () => {
    const rule = trafficDropRule({ confidence: 0.95 });
    expect(judgeTrafficDrop(rule, traffic(0, 12)).state).toBe('cannot_tell');
    expect(judgeTrafficDrop(rule, traffic(0, 1)).state).toBe('cannot_tell');
  });

  it('loses nothing where nothing came before', () => {
    expect(judgeTrafficDrop(trafficDropRule(), traffic(10, 0))).toMatchObject({ state: 'healthy', value: 0 });
  });

  it.each<[string, Coverage]>([
    ['lost', { covered: 0.89, lost: 0.11 }],
    ['from before the very first start', { covered: 0.89, lost: 0 }],
  ])('cannot tell where over a tenth of the window or of the baseline is %s', (_, coverage) => {
    const gap = { state: 'cannot_tell', doubt: 'gap' };
    expect(judgeTrafficDrop(trafficDropRule(), traffic(0, 1_200, { now: coverage }))).toMatchObject(gap);
    expect(judgeTrafficDrop(trafficDropRule(), traffic(0, 1_200, { before: coverage }))).toMatchObject(gap);
  });

  it('does not take what is not known for a loss', () => {
    const nine = { covered: 0.9, lost: 0.1 };
    expect(judgeTrafficDrop(trafficDropRule(), traffic(45, 1_200, { now: nine }))).toMatchObject({
      value: 0.5,
    });
    expect(judgeTrafficDrop(trafficDropRule(), traffic(50, 1_080, { before: nine }))).toMatchObject({
      value: 0.5,
    });
  });

  it('divides by the times that are really counted, which are longer than the window or shorter', () => {
    const view = scopeView((_, agoMs) =>
      agoMs === 0
        ? { requests: 76, counted: { ms: 304_000, covered: 1 } }
        : { requests: 900, counted: { ms: 3_600_000, covered: 1 } },
    );
    expect(judgeTrafficDrop(trafficDropRule(), view)).toMatchObject({ state: 'healthy', value: 0 });
    const half = scopeView((_, agoMs) =>
      agoMs === 0
        ? { requests: 38, counted: { ms: 304_000, covered: 1 } }
        : { requests: 900, counted: { ms: 3_600_000, covered: 1 } },
    );
    expect(judgeTrafficDrop(trafficDropRule(), half)).toMatchObject({ state: 'healthy', value: 0.5 });
  });

  it('has no value where nothing is known of one of the times, whatever was delivered of it', () => {
    const coverage = { covered: 0, lost: 1 };
    for (const which of ['now', 'before'])
      expect(judgeTrafficDrop(trafficDropRule(), traffic(7, 1_200, { [which]: coverage }))).toMatchObject({
        state: 'cannot_tell',
        doubt: 'gap',
        value: undefined,
      });
  });
});

describe('a rule of absent traffic, where at least 100 came in the day before', () => {
  const rule = trafficAbsenceRule();

  it.each<[string, number, number, Partial<Verdict>]>([
    [
      'is breached where nothing comes any more',
      0,
      100,
      { state: 'breached', severity: 'critical', value: 1 },
    ],
    ['is healthy as soon as one request comes', 1, 100, { state: 'healthy', severity: undefined, value: 0 }],
    ['cannot tell where there was less', 0, 99, { state: 'cannot_tell', doubt: 'too_few_requests' }],
    ['cannot tell where there was nothing', 0, 0, { state: 'cannot_tell', doubt: 'no_requests' }],
  ])('%s', (_, now, before, expected) => {
    expect(judgeTrafficAbsence(rule, traffic(now, before))).toMatchObject({
      ...expected,
      threshold: 0,
      samples: now + before,
    });
  });

  it.each<[string, { now?: Coverage; before?: Coverage }, Verdict['state']]>([
    ['over a tenth of the window', { now: { covered: 0.89, lost: 0 } }, 'cannot_tell'],
    ['a tenth of the window', { now: { covered: 0.9, lost: 0 } }, 'breached'],
    ['over a tenth of the baseline', { before: { covered: 0.89, lost: 0.11 } }, 'cannot_tell'],
    ['a tenth of the baseline', { before: { covered: 0.9, lost: 0.1 } }, 'breached'],
  ])('knows nothing of %s: %s', (_, coverage, state) => {
    expect(judgeTrafficAbsence(rule, traffic(0, 1_000, coverage)).state).toBe(state);
  });

  it('is healthy where something came, however little else is known', () => {
    const unknown = { covered: 0, lost: 1 };
    expect(judgeTrafficAbsence(rule, traffic(1, 0, { now: unknown, before: unknown })).state).toBe('healthy');
  });
});

describe('steady traffic', () => {
  const SECOND = 1_000;
  const MINUTE = 60 * SECOND;
  const START = 28_000_000 * MINUTE;
  const SHOP = { level: 'service', service: 'shop' } as const;

  it.each([
    [5, 10],
    [1, 10],
    [5, 60],
    [90, 120],
  ])('of a request a second is no loss at any moment, in %i m against %i m', (window, baseline) => {
    const rule = trafficDropRule({ windowMs: window * MINUTE, baselineMs: baseline * MINUTE });
    const windows = new ScopeWindows(needsOf([rule]), START);
    const values: number[] = [];
    const fullMs = START + (window + baseline + 1) * MINUTE;
    for (let ms = START; ms < fullMs + 2 * MINUTE; ms += SECOND) {
      windows.add(ms, [sampleDelta({}, [5])], ms);
      if (ms < fullMs) continue;
      // At the end of the second, of which the request tells.
      values.push(judgeTrafficDrop(rule, windows.view(SHOP, ms + SECOND - 1)).value ?? NaN);
    }
    expect(new Set(values)).toEqual(new Set([0]));
  });

  it('that is lost to the half is a loss of half, and its window and baseline share no request', () => {
    const rule = trafficDropRule({ windowMs: 5 * MINUTE, baselineMs: 10 * MINUTE });
    const windows = new ScopeWindows(needsOf([rule]), START);
    const lostMs = START + 20 * MINUTE;
    for (let ms = START; ms < lostMs; ms += SECOND) windows.add(ms, [sampleDelta({}, [5, 5])], ms);
    for (let ms = lostMs; ms < lostMs + 5 * MINUTE; ms += SECOND) windows.add(ms, [sampleDelta({}, [5])], ms);
    const view = windows.view(SHOP, lostMs + 5 * MINUTE - 1);
    expect(view.counts(rule.windowMs).requests).toBe(300);
    expect(view.counts(rule.baselineMs, rule.windowMs).requests).toBe(1_200);
    expect(judgeTrafficDrop(rule, view).value).toBe(0.5);
  });

  it('cannot be told to have stopped while its producer is silent, and others tell of no request', () => {
    const rule = trafficAbsenceRule({ windowMs: MINUTE, baselineMs: 10 * MINUTE, minimumRequests: 100 });
    const windows = new ScopeWindows(needsOf([rule]), START);
    const heard = (producer: string, ms: number) =>
      windows.known.received({ producer, beforeMs: ms - SECOND, isHeartbeat: false }, ms);
    const stoppedMs = START + 20 * MINUTE;
    const endMs = stoppedMs + 2 * MINUTE;
    for (let ms = START; ms < endMs; ms += SECOND) {
      if (ms < stoppedMs) windows.add(ms, [sampleDelta({}, [5])], ms);
      if (ms < stoppedMs) heard('silent', ms);
      heard('other', ms);
      windows.advance(ms);
    }
    const judged = () => judgeTrafficAbsence(rule, windows.view(SHOP, endMs));
    expect(judged()).toMatchObject({ state: 'cannot_tell', doubt: 'gap' });
    // It lives, and has nothing.
    heard('silent', endMs);
    heard('silent', endMs + SECOND);
    expect(judged().state).toBe('breached');
  });
});
