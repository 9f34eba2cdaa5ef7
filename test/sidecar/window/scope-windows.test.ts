import type { BurnRateRule } from '../../../sidecar/config/rule';
import { ScopeWindows } from '../../../sidecar/window/scope-windows';
import type { Scope } from '../../../sidecar/window/scope';
import { needsOf } from '../../../sidecar/window/window-needs';
import { sampleDelta, sampleErrors } from '../../support/sample-delta';
import {
  apdexRule,
  burnRateRule,
  errorRateRule,
  latencyRule,
  trafficAbsenceRule,
} from '../../support/sample-rules';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const SLOT = 5 * SECOND;
/** The first ms of a minute. */
const NOW = 28_000_000 * MINUTE;
const SHOP: Scope = { level: 'service', service: 'shop' };
const GET_CART: Scope = { level: 'operation', service: 'shop', operation: 'GET cart' };

function errorRates(...windowsMs: number[]) {
  return needsOf(windowsMs.map((windowMs) => errorRateRule({ windowMs })));
}

function oneRequest(service = 'shop') {
  return [sampleDelta({ service }, [100])];
}

function requestsOf(windows: ScopeWindows, nowMs: number, windowMs: number, scope = SHOP): number {
  return windows.view(scope, nowMs).counts(windowMs).requests;
}

describe('the windows of a scope', () => {
  it.each([
    ['a request of this very moment is in', 0, 1],
    ['one a ms inside the window is in', MINUTE - 1, 1],
    ['one exactly as old as the window shares no slot with it here and is out', MINUTE, 0],
    ['one of a second earlier is out', MINUTE + SECOND, 0],
  ])('%s', (_, ageMs, requests) => {
    const now = NOW + SLOT - 1;
    const windows = new ScopeWindows(errorRates(MINUTE, 10 * MINUTE), now);
    windows.add(now - ageMs, oneRequest(), now);
    expect(requestsOf(windows, now, MINUTE)).toBe(requests);
  });

  it.each([
    ['of 5 s', MINUTE, SLOT],
    ['of a minute where they are long', 2 * HOUR, MINUTE],
  ])(
    'cover the whole of a slot %s that they touch, so a request may be seen for so long more',
    (_, windowMs, slotMs) => {
      const windows = new ScopeWindows(errorRates(windowMs), NOW);
      windows.add(NOW, oneRequest(), NOW);
      const lastSeen = NOW + slotMs - 1 + windowMs - 1;
      expect(requestsOf(windows, lastSeen, windowMs)).toBe(1);
      expect(requestsOf(windows, lastSeen + 1, windowMs)).toBe(0);
    },
  );

  it('end in the past where that is asked for', () => {
    const windows = new ScopeWindows(
      needsOf([trafficAbsenceRule({ windowMs: 10 * MINUTE, baselineMs: HOUR })]),
      NOW,
    );
    windows.add(NOW - 15 * MINUTE, oneRequest(), NOW);
    windows.add(NOW - 5 * MINUTE, [...oneRequest(), ...oneRequest()], NOW);
    const view = windows.view(SHOP, NOW);
    expect([view.counts(10 * MINUTE).requests, view.counts(HOUR, 10 * MINUTE).requests]).toEqual([2, 1]);
  });

  it('keep scopes apart and add up what came to one', () => {
    const each = ['gateway', 'service', 'operation', 'error_type'] as const;
    const windows = new ScopeWindows(needsOf(each.map((level) => errorRateRule({ each: level }))), NOW);
    windows.add(NOW, [...oneRequest('shop'), ...oneRequest('bank'), sampleErrors('shop', [5, 6])], NOW);
    windows.add(NOW - 20 * SECOND, oneRequest('shop'), NOW);
    const told = each.flatMap((level) =>
      [...windows.scopes(level)].map((scope) => {
        const { requests, errors, samples } = windows.view(scope, NOW).counts(MINUTE);
        return [...Object.values(scope), requests, errors, samples].join(' ');
      }),
    );
    expect(told).toEqual([
      'gateway 5 2 3',
      'service shop 4 2 2',
      'service bank 1 0 1',
      'operation shop GET cart 4 2 2',
      'operation bank GET cart 1 0 1',
      'error_type shop upstream_server_error 4 2 0',
    ]);
    expect(requestsOf(windows, NOW, MINUTE, { level: 'service', service: 'unheard' })).toBe(0);
  });

  it('know only the scopes of levels that a rule is judged for', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW);
    windows.add(NOW, [sampleErrors('shop', [1])], NOW);
    expect([
      ...windows.scopes('gateway'),
      ...windows.scopes('operation'),
      ...windows.scopes('error_type'),
    ]).toEqual([]);
    expect([...windows.scopes('service')]).toEqual([SHOP]);
  });

  it('put a late interval where it belongs: into the long window and not into the short one', () => {
    const windows = new ScopeWindows(errorRates(MINUTE, 10 * MINUTE, 2 * HOUR), NOW);
    windows.add(NOW - 5 * MINUTE, oneRequest(), NOW);
    windows.add(NOW - 90 * MINUTE, oneRequest(), NOW);
    expect([MINUTE, 10 * MINUTE, 2 * HOUR].map((windowMs) => requestsOf(windows, NOW, windowMs))).toEqual([
      0, 1, 2,
    ]);
    expect(windows.lateRequests).toBe(0);
  });

  it('count what is older than every window as late and put it nowhere', () => {
    const windows = new ScopeWindows(errorRates(10 * MINUTE), NOW);
    windows.add(NOW - 11 * MINUTE, [sampleDelta({}, [1, 2, 3])], NOW);
    expect(windows.lateRequests).toBe(3);
    expect([...windows.scopes('service')]).toEqual([]);
  });

  it('keep nothing and call nothing late where no rule asks', () => {
    const windows = new ScopeWindows(needsOf([]), NOW);
    windows.add(NOW, oneRequest(), NOW);
    expect(windows.lateRequests).toBe(0);
    expect([...windows.scopes('service')]).toEqual([]);
  });

  it('count a time in the future as now', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW);
    windows.add(NOW + HOUR, oneRequest(), NOW);
    expect(requestsOf(windows, NOW, MINUTE)).toBe(1);
    expect(requestsOf(windows, NOW + HOUR, MINUTE)).toBe(0);
  });

  it('never change the deltas they were given, nor counts they gave', () => {
    const windows = new ScopeWindows(needsOf([apdexRule({ targetMs: 100 })]), NOW);
    const delta = sampleDelta({}, [100]);
    windows.add(NOW, [delta], NOW);
    const counts = windows.view(SHOP, NOW).counts(MINUTE);
    windows.add(NOW, [delta], NOW);
    expect([delta.requests, delta.upstream.count, counts.requests, counts.atMost(100)]).toEqual([1, 1, 1, 1]);
    expect(windows.view(SHOP, NOW).counts(MINUTE).atMost(100)).toBe(2);
  });

  it.each([
    ['counts', errorRateRule({ windowMs: 10 * MINUTE })],
    ['times', latencyRule({ windowMs: 10 * MINUTE })],
  ])('let a scope disappear once its last slot is past every window of %s', (_, rule) => {
    const windows = new ScopeWindows(needsOf([rule]), NOW);
    windows.add(NOW, oneRequest(), NOW);
    windows.advance(NOW + SLOT - 1 + 10 * MINUTE - 1);
    expect([...windows.scopes('service')]).toEqual([SHOP]);
    windows.advance(NOW + SLOT - 1 + 10 * MINUTE);
    expect([...windows.scopes('service')]).toEqual([]);
  });

  it('keep what they have when the clock is set back, and do not show it again when that time returns', () => {
    const windows = new ScopeWindows(errorRates(MINUTE, 2 * HOUR), NOW);
    windows.add(NOW, oneRequest(), NOW);
    const back = NOW - 3 * HOUR;
    expect([requestsOf(windows, back, MINUTE), requestsOf(windows, back, 2 * HOUR)]).toEqual([1, 1]);
    expect(requestsOf(windows, back + 2 * MINUTE, MINUTE)).toBe(0);
    windows.advance(back + 2 * HOUR + MINUTE);
    expect([...windows.scopes('service')]).toEqual([]);
    windows.add(NOW, oneRequest(), NOW);
    expect([requestsOf(windows, NOW, MINUTE), requestsOf(windows, NOW, 2 * HOUR)]).toEqual([1, 1]);
  });

  it('move what lies ahead of a clock that was set back, and leave nothing there', () => {
    const windows = new ScopeWindows(errorRates(MINUTE, 2 * HOUR), NOW);
    windows.add(NOW, oneRequest(), NOW);
    windows.advance(NOW - HOUR);
    windows.add(NOW, oneRequest(), NOW);
    expect([requestsOf(windows, NOW, MINUTE), requestsOf(windows, NOW, 2 * HOUR)]).toEqual([1, 2]);
  });

  it('do not show again what was dropped when the clock is set back to it', () => {
    const windows = new ScopeWindows(errorRates(MINUTE, 2 * HOUR), NOW);
    windows.add(NOW, oneRequest(), NOW);
    windows.add(NOW + HOUR, oneRequest(), NOW + HOUR);
    windows.advance(NOW + 150 * MINUTE);
    windows.add(NOW, oneRequest(), NOW);
    expect([requestsOf(windows, NOW, MINUTE), requestsOf(windows, NOW, 2 * HOUR)]).toEqual([1, 2]);
  });

  it('answer for a window that no rule has named too, as far back as slots are kept', () => {
    const windows = new ScopeWindows(needsOf([errorRateRule({ windowMs: 10 * MINUTE }), latencyRule()]), NOW);
    windows.add(NOW - 3 * MINUTE, oneRequest(), NOW);
    const view = windows.view(SHOP, NOW);
    expect([2, 4].map((minutes) => view.counts(minutes * MINUTE).requests)).toEqual([0, 1]);
    expect([2, 4].map((minutes) => view.latency(minutes * MINUTE).count)).toEqual([0, 1]);
  });
});

describe('what counts', () => {
  const windows = (...deltas: ReturnType<typeof sampleDelta>[]): ScopeWindows => {
    const needs = needsOf([latencyRule(), apdexRule(), errorRateRule({ each: 'error_type' })]);
    const all = new ScopeWindows(needs, NOW);
    all.add(NOW, deltas, NOW);
    return all;
  };

  it.each([499, 502, 503])('is no latency of status %i, whose fast failures would flatter it', (status) => {
    const view = windows(sampleDelta({ status }, [3]), sampleDelta({}, [700])).view(SHOP, NOW);
    expect(view.latency(MINUTE)).toEqual({ count: 1, sumMs: 700, cells: new Map([[700, 1]]) });
    expect(view.counts(MINUTE).requests).toBe(2);
  });

  it('is the latency of a 504', () => {
    const view = windows(sampleDelta({ status: 504, severity: 'error' }, [605])).view(SHOP, NOW);
    expect(view.latency(MINUTE).count).toBe(1);
  });

  it('is an error against the Apdex as an error, not by its time', () => {
    const { errors, samples } = windows(sampleErrors('shop', [3, 4]))
      .view(SHOP, NOW)
      .counts(MINUTE);
    expect([errors, samples]).toEqual([2, 0]);
  });

  it('is a client that left by its time, and a warning without an upstream as no sample', () => {
    const counts = windows(
      sampleDelta({ status: 499, source: 'client', severity: 'warning' }, [900]),
      sampleDelta({ status: 404, source: 'client', severity: 'warning' }, [undefined]),
    )
      .view(SHOP, NOW)
      .counts(MINUTE);
    expect([counts.requests, counts.errors, counts.samples]).toEqual([2, 0, 1]);
    expect([counts.atMost(250), counts.atMost(1_000)]).toEqual([0, 1]);
  });

  it('is a warning as an error of its type only where that is asked for', () => {
    const all = windows(
      sampleDelta({ errorType: 'rate_limited', severity: 'warning', status: 429 }, [undefined, undefined]),
      ...oneRequest(),
    );
    const scope: Scope = { level: 'error_type', service: 'shop', errorType: 'rate_limited' };
    const told = [false, true].map((countsWarnings) =>
      all.view(scope, NOW, { countsWarnings }).counts(MINUTE),
    );
    expect(told.map(({ requests, errors }) => [requests, errors])).toEqual([
      [3, 0],
      [3, 2],
    ]);
  });
});

describe('after a reload', () => {
  it('a longer window keeps what there is and fills up; until then it is not covered, and nothing is lost', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW - HOUR);
    windows.add(NOW - 30 * SECOND, oneRequest(), NOW);
    windows.reconfigure(errorRates(MINUTE, 2 * MINUTE), NOW);
    expect(requestsOf(windows, NOW, 2 * MINUTE)).toBe(1);
    expect(windows.view(SHOP, NOW).coverage(2 * MINUTE)).toEqual({ covered: 0.5, lost: 0 });
    expect(windows.view(SHOP, NOW).coverage(MINUTE)).toEqual({ covered: 1, lost: 0 });
    expect(windows.view(SHOP, NOW + MINUTE).coverage(2 * MINUTE)).toEqual({ covered: 1, lost: 0 });
  });

  it('two longer windows, one soon after the other, are not covered before the first was', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW - HOUR);
    windows.reconfigure(errorRates(2 * MINUTE), NOW);
    windows.reconfigure(errorRates(5 * MINUTE), NOW + 15 * SECOND);
    expect(windows.view(SHOP, NOW + 15 * SECOND).coverage(5 * MINUTE).covered).toBe(0.25);
  });

  it('a longer window fills up from a clock that is then set back, too', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW - 3 * HOUR);
    windows.reconfigure(errorRates(10 * MINUTE), NOW);
    windows.advance(NOW - HOUR);
    expect(windows.view(SHOP, NOW - 50 * MINUTE).coverage(10 * MINUTE).covered).toBe(1);
  });

  it('a new bound is not counted by where only some of the times are kept', () => {
    const burning = (latencyMs: number): BurnRateRule =>
      burnRateRule({
        latencyMs,
        windows: [{ severity: 'critical', longMs: HOUR, shortMs: 5 * MINUTE, factor: 14.4 }],
      });
    const windows = new ScopeWindows(needsOf([burning(300)]), NOW - HOUR);
    windows.add(NOW - 10 * MINUTE, [sampleDelta({}, [250])], NOW);
    windows.reconfigure(needsOf([burning(300), latencyRule({ windowMs: HOUR })]), NOW);
    windows.add(NOW - 10 * MINUTE, [sampleDelta({}, [250])], NOW);
    windows.reconfigure(needsOf([burning(200), latencyRule({ windowMs: HOUR })]), NOW);
    const counts = windows.view(SHOP, NOW).counts(HOUR);
    expect([counts.samples, counts.atMost(200)]).toEqual([2, 2]);
  });

  it('a shorter window drops the rest', () => {
    const windows = new ScopeWindows(errorRates(MINUTE, 10 * MINUTE), NOW);
    windows.add(NOW - 9 * MINUTE, oneRequest(), NOW);
    windows.reconfigure(errorRates(MINUTE), NOW);
    expect([...windows.scopes('service')]).toEqual([]);
  });

  it('a level that was not told apart begins now', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW - HOUR);
    windows.add(NOW, oneRequest(), NOW);
    windows.reconfigure(needsOf([errorRateRule(), errorRateRule({ each: 'operation' })]), NOW);
    expect([...windows.scopes('operation')]).toEqual([]);
    expect(windows.view(GET_CART, NOW).coverage(MINUTE).covered).toBe(0);
    expect(windows.view(SHOP, NOW).coverage(MINUTE).covered).toBe(1);
    expect(requestsOf(windows, NOW, MINUTE)).toBe(1);
  });

  it('a new bound is counted by as far back as every time is kept', () => {
    const windows = new ScopeWindows(needsOf([apdexRule({ targetMs: 100 })]), NOW - HOUR);
    windows.add(NOW, [sampleDelta({}, [90, 110, 190, 210, 500, 900])], NOW);
    windows.reconfigure(needsOf([apdexRule({ targetMs: 200 })]), NOW);
    const view = windows.view(SHOP, NOW);
    expect([200, 800].map((boundMs) => view.counts(MINUTE).atMost(boundMs))).toEqual([3, 5]);
    expect(view.coverage(MINUTE, 0, 200)).toEqual({ covered: 1, lost: 0 });
    expect(() => view.counts(MINUTE).atMost(100)).toThrow('no rule has named the bound 100 ms');
  });

  it('a new bound is lost for the minutes that were not counted by it, and only for who asks by it', () => {
    const burn = (latencyMs: number) => needsOf([burnRateRule({ latencyMs })]);
    const windows = new ScopeWindows(burn(300), NOW - 100 * HOUR);
    windows.add(NOW, [sampleDelta({}, [200, 400])], NOW);
    windows.reconfigure(burn(350), NOW);
    const later = windows.view(SHOP, NOW + 3 * HOUR);
    expect(later.coverage(6 * HOUR, 0, 350)).toEqual({ covered: 0.5, lost: 0.5 });
    expect(later.coverage(6 * HOUR)).toEqual({ covered: 1, lost: 0 });
    // No time is made out to be longer than it was.
    expect(later.counts(6 * HOUR).atMost(350)).toBe(2);
  });

  it('a bound that no rule has named is lost as a whole', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW - HOUR);
    expect(windows.view(SHOP, NOW).coverage(MINUTE, 0, 300)).toEqual({ covered: 0, lost: 1 });
  });

  it('the same rules change nothing', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW);
    const { tiers } = windows;
    windows.reconfigure(errorRates(MINUTE), NOW);
    expect(windows.tiers).toBe(tiers);
  });
});

describe('a scope of the watch of Kong', () => {
  it('has no windows to be covered', () => {
    const windows = new ScopeWindows(errorRates(MINUTE), NOW);
    const view = windows.view({ level: 'instance', instance: 'kong:8100' }, NOW);
    expect(view.counts(MINUTE).requests).toBe(0);
    expect(() => view.coverage(MINUTE)).toThrow('has no windows');
  });
});
