import fc from 'fast-check';
import { longestWindowMs } from '../../../sidecar/window/longest-window';
import { ServiceWindows, SLOT_MS } from '../../../sidecar/window/service-windows';
import { sampleDelta } from '../../support/sample-delta';
import { apdexRule, p95Rule } from '../../support/sample-rules';

const MINUTE = 60_000;
/** The first ms of a slot. */
const NOW = 1_000 * SLOT_MS;

function oneRequest(service = 'shop') {
  return [sampleDelta({ service }, [100])];
}

describe('the windows of a service', () => {
  it.each([
    ['a request of this very moment is in', 0, 1],
    ['one a ms inside the window is in', MINUTE - 1, 1],
    ['one exactly as old as the window shares no slot with it here and is out', MINUTE, 0],
    ['one of a second earlier is out', MINUTE + 1_000, 0],
  ])('%s', (_, ageMs, requests) => {
    const now = NOW + SLOT_MS - 1;
    const windows = new ServiceWindows(10 * MINUTE);
    windows.add(now - ageMs, oneRequest(), now);
    expect(windows.tallyOf('shop', now, MINUTE).requests).toBe(requests);
  });

  it('cover the whole of a slot that they touch, so a request may be seen for up to one slot longer', () => {
    const windows = new ServiceWindows(10 * MINUTE);
    windows.add(NOW, oneRequest(), NOW);
    const lastSeen = NOW + SLOT_MS - 1 + MINUTE - 1;
    expect(windows.tallyOf('shop', lastSeen, MINUTE).requests).toBe(1);
    expect(windows.tallyOf('shop', lastSeen + 1, MINUTE).requests).toBe(0);
  });

  it('keep services apart and add up what came to one', () => {
    const windows = new ServiceWindows(MINUTE);
    windows.add(NOW, [...oneRequest('shop'), ...oneRequest('bank'), ...oneRequest('shop')], NOW);
    windows.add(NOW - 20_000, oneRequest('shop'), NOW);
    expect(windows.tallyOf('shop', NOW, MINUTE).requests).toBe(3);
    expect(windows.tallyOf('bank', NOW, MINUTE).requests).toBe(1);
    expect(windows.tallyOf('unheard', NOW, MINUTE).requests).toBe(0);
    expect(windows.services().sort()).toEqual(['bank', 'shop']);
  });

  it('put a late interval where it belongs: into the long window and not into the short one', () => {
    const windows = new ServiceWindows(10 * MINUTE);
    windows.add(NOW - 5 * MINUTE, oneRequest(), NOW);
    expect(windows.tallyOf('shop', NOW, MINUTE).requests).toBe(0);
    expect(windows.tallyOf('shop', NOW, 10 * MINUTE).requests).toBe(1);
    expect(windows.lateRequests).toBe(0);
  });

  it('count what is older than the longest window as late and put it nowhere', () => {
    const windows = new ServiceWindows(MINUTE);
    windows.add(NOW - 2 * MINUTE, [sampleDelta({}, [1, 2, 3])], NOW);
    expect(windows.lateRequests).toBe(3);
    expect(windows.services()).toEqual([]);
  });

  it('count a time in the future as now', () => {
    const windows = new ServiceWindows(MINUTE);
    windows.add(NOW + 3_600_000, oneRequest(), NOW);
    expect(windows.tallyOf('shop', NOW, MINUTE).requests).toBe(1);
    expect(windows.tallyOf('shop', NOW + 3_600_000, MINUTE).requests).toBe(0);
  });

  it('never change the deltas they were given, nor a tally they gave', () => {
    const windows = new ServiceWindows(MINUTE);
    const [delta] = oneRequest();
    if (!delta) throw new Error('no delta');
    windows.add(NOW, [delta], NOW);
    const tally = windows.tallyOf('shop', NOW, MINUTE);
    windows.add(NOW, [delta], NOW);
    expect([delta.requests, delta.upstream.count, tally.requests, tally.latency.count]).toEqual([1, 1, 1, 1]);
    expect(windows.tallyOf('shop', NOW, MINUTE).latency.cells).toEqual(new Map([[100, 2]]));
  });

  it('let a service disappear once its last slot is past every window', () => {
    const windows = new ServiceWindows(MINUTE);
    windows.add(NOW, oneRequest(), NOW);
    windows.forgetBefore(NOW + SLOT_MS - 1 + MINUTE - 1);
    expect(windows.services()).toEqual(['shop']);
    windows.forgetBefore(NOW + SLOT_MS - 1 + MINUTE);
    expect(windows.services()).toEqual([]);
  });

  it('keep more after a reload with a longer window, and less after one with a shorter', () => {
    const windows = new ServiceWindows(MINUTE);
    windows.keepWindow(10 * MINUTE);
    windows.add(NOW - 5 * MINUTE, oneRequest(), NOW);
    windows.forgetBefore(NOW);
    expect(windows.services()).toEqual(['shop']);
    windows.keepWindow(MINUTE);
    windows.forgetBefore(NOW);
    expect(windows.services()).toEqual([]);
  });

  it('keep what they have when the clock is set back, and do not show it again when that time returns', () => {
    const windows = new ServiceWindows(MINUTE);
    windows.add(NOW, oneRequest(), NOW);
    const back = NOW - 3_600_000;
    windows.forgetBefore(back);
    expect(windows.tallyOf('shop', back, MINUTE).requests).toBe(1);
    windows.forgetBefore(back + 2 * MINUTE);
    expect(windows.tallyOf('shop', NOW, MINUTE).requests).toBe(0);
  });

  it('miss no request of the window and see none that is more than a slot older', () => {
    const ages = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(
        ages,
        fc.integer({ min: 0, max: 20_000 }),
        fc.integer({ min: 1, max: 150_000 }),
        (agesMs, phaseMs, windowMs) => {
          const now = NOW + phaseMs;
          const windows = new ServiceWindows(200_000 + SLOT_MS);
          for (const ageMs of agesMs) windows.add(now - ageMs, oneRequest(), now);
          windows.forgetBefore(now);
          const { requests } = windows.tallyOf('shop', now, windowMs);
          expect(requests).toBeGreaterThanOrEqual(agesMs.filter((ageMs) => ageMs < windowMs).length);
          expect(requests).toBeLessThanOrEqual(agesMs.filter((ageMs) => ageMs < windowMs + SLOT_MS).length);
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('the longest window', () => {
  it('is the longest of all rules, and nothing without rules', () => {
    expect(longestWindowMs([p95Rule({ windowMs: 60_000 }), apdexRule({ windowMs: 300_000 })])).toBe(300_000);
    expect(longestWindowMs([])).toBe(0);
  });
});
