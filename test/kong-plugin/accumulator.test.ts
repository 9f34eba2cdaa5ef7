import fc from 'fast-check';
import { Accumulator, noStatistics, type Taken } from '../../kong-plugin/accumulator';
import { SENTRY_STATISTICS } from '../../kong-plugin/contract/sentry-statistics';
import { SENTRY_OUTCOMES } from '../../kong-plugin/sentry/sentry-outcome';
import { mergeDelta, seriesKey, type Delta } from '../../kong-plugin/contract/delta';
import type { Observation } from '../../kong-plugin/observation';
import { arbitraryDelta } from '../support/batches';
import { arbitraryObservation, observationOf } from '../support/observations';

const NOW_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function copyOf(delta: Delta): Delta {
  return structuredClone(delta);
}

/** What a set of deltas says, without its order. */
function contentOf(deltas: readonly Delta[]): unknown {
  const merged = new Map<string, Delta>();
  for (const delta of deltas) {
    const known = merged.get(seriesKey(delta.series));
    if (known) mergeDelta(known, delta);
    else merged.set(seriesKey(delta.series), copyOf(delta));
  }
  return [...merged]
    .map(([key, { requests, upstream, failedTries, failedAddresses }]) => ({
      key,
      requests,
      count: upstream.count,
      sumMs: upstream.sumMs,
      cells: [...upstream.cells].sort(([a], [b]) => a - b),
      failedTries: [...failedTries].sort(([a], [b]) => a - b),
      failedAddresses: [...failedAddresses].sort(([a], [b]) => a.localeCompare(b)),
    }))
    .sort((a, b) => a.key.localeCompare(b.key));
}

function deltasOf(...taken: readonly Taken[]): Delta[] {
  return taken.flatMap(({ intervals }) => intervals.flatMap(({ deltas }) => deltas));
}

function merged(...deltas: readonly Delta[]): unknown {
  return contentOf(deltas.map(copyOf));
}

describe('the accumulator', () => {
  it('keeps the seconds apart and gives those that have ended', () => {
    const accumulator = new Accumulator();
    accumulator.add(observationOf(), NOW_MS);
    accumulator.add(observationOf(), NOW_MS + 999);
    expect(accumulator.hasIntervals(NOW_MS + 999)).toBe(false);
    accumulator.add(observationOf(), NOW_MS + 1_000);
    const { intervals } = accumulator.take(NOW_MS + 1_500);
    expect(
      intervals.map(({ startMs, durationMs, deltas }) => [startMs, durationMs, deltas[0]?.requests]),
    ).toEqual([[NOW_MS, 1_000, 2]]);
    expect(accumulator.pendingRequests).toBe(1);
    expect(accumulator.take(NOW_MS + 1_600, true).intervals).toHaveLength(1);
    expect(accumulator.pendingRequests).toBe(0);
  });

  it('gives its statistics once', () => {
    const accumulator = new Accumulator();
    accumulator.add(observationOf({ malformed: true }), NOW_MS);
    accumulator.add(observationOf({ clockFault: true }), NOW_MS);
    accumulator.countFailedSend();
    accumulator.countRefused(7);
    const statistics = {
      ...noStatistics(),
      events: 2,
      malformedLogs: 1,
      clockFaults: 1,
      failedSends: 1,
      refusedRequests: 7,
    };
    expect(accumulator.take(NOW_MS).statistics).toEqual(statistics);
    expect(accumulator.take(NOW_MS + 5_000).statistics).toEqual(noStatistics());
  });

  it('counts every outcome of what goes to Sentry under a name of its own', () => {
    const accumulator = new Accumulator();
    const names = new Set<string>();
    let count = 0;
    for (const category of ['error', 'transaction'] as const) {
      for (const outcome of SENTRY_OUTCOMES) {
        const name = SENTRY_STATISTICS[category][outcome];
        names.add(name);
        accumulator.countSentry(category, outcome, ++count);
        accumulator.countSentry(category, outcome, 100);
        expect(accumulator.held().statistics[name]).toBe(count + 100);
      }
    }
    expect(names.size).toBe(2 * SENTRY_OUTCOMES.length);
    expect(accumulator.hasStatistics).toBe(true);
    accumulator.take(NOW_MS);
    expect(accumulator.hasStatistics).toBe(false);
  });

  it('gives an interval of the future at once, as a clock that was set back leaves one', () => {
    const accumulator = new Accumulator();
    accumulator.add(observationOf(), NOW_MS + HOUR_MS);
    accumulator.add(observationOf(), NOW_MS);
    expect(accumulator.take(NOW_MS + 10).intervals.map(({ startMs }) => startMs)).toEqual([NOW_MS + HOUR_MS]);
  });

  it('merges seconds into minutes and minutes into hours, so that an outage of a day is no more than 170 intervals', () => {
    const accumulator = new Accumulator();
    let most = 0;
    for (let second = 0; second < 24 * 3_600; second++) {
      const nowMs = NOW_MS + second * 1_000;
      accumulator.add(observationOf(), nowMs);
      accumulator.coarsen(nowMs);
      most = Math.max(most, accumulator.pendingIntervals);
    }
    // A minute of seconds, an hour of minutes, a day of hours, and those between.
    expect(most).toBeLessThanOrEqual(62 + 62 + 25);
    const { intervals } = accumulator.take(NOW_MS + 24 * HOUR_MS, true);
    expect(deltasOf({ intervals, statistics: accumulator.take(0).statistics })[0]?.series.service).toBe(
      'orders',
    );
    expect(intervals.reduce((sum, { deltas }) => sum + (deltas[0]?.requests ?? 0), 0)).toBe(24 * 3_600);
    const durations = intervals.map(({ durationMs }) => durationMs);
    expect(new Set(durations)).toEqual(new Set([HOUR_MS, MINUTE_MS, 1_000]));
    // The last minute is still in seconds.
    const seconds = intervals.filter(({ durationMs }) => durationMs === 1_000);
    expect(seconds.length).toBeGreaterThanOrEqual(60);
  });
});

describe('the bounds of the accumulator', () => {
  const named = (number: number, upstreamMs = 12): Observation =>
    observationOf({ service: `s${number}`, operation: `GET r${number}`, upstreamMs });

  function takeAll(accumulator: Accumulator): Taken[] {
    const taken: Taken[] = [];
    do taken.push(accumulator.take(NOW_MS, true));
    while (accumulator.pendingIntervals > 0);
    return taken;
  }

  const sumOf = (taken: readonly Taken[], name: 'events' | 'foldedRequests'): number =>
    taken.reduce((sum, { statistics }) => sum + statistics[name], 0);

  it('fold new names when 30,000 deltas wait, and count every request and every fold', () => {
    const accumulator = new Accumulator();
    for (let number = 0; number < 100_000; number++) accumulator.add(named(number), NOW_MS);
    const taken = takeAll(accumulator);
    const deltas = deltasOf(...taken);
    expect(deltas.length).toBeLessThanOrEqual(33_001);
    expect(deltas.reduce((sum, { requests }) => sum + requests, 0)).toBe(100_000);
    expect(sumOf(taken, 'events')).toBe(100_000);
    expect(sumOf(taken, 'foldedRequests')).toBe(70_000);
    const folded = deltas.filter(({ series }) => series.operation === '__other__');
    expect(folded.reduce((sum, { requests }) => sum + requests, 0)).toBe(70_000);
  });

  it('leave their names to those that wait already, whatever comes', () => {
    const accumulator = new Accumulator();
    const known = observationOf({ operation: 'GET known' });
    accumulator.add(known, NOW_MS);
    for (let second = 0; second < 60; second++) {
      const nowMs = NOW_MS + second * 1_000;
      for (let number = 0; number < 2_000; number++) accumulator.add(named(second * 2_000 + number), nowMs);
      accumulator.add(known, nowMs);
      accumulator.coarsen(nowMs);
    }
    const own = deltasOf(...takeAll(accumulator)).filter(({ series }) => series.operation === 'GET known');
    expect(own.reduce((sum, { requests }) => sum + requests, 0)).toBe(61);
  });

  it('give up seconds, minutes and hours before names', () => {
    const accumulator = new Accumulator();
    for (let second = 0; second < 30; second++) {
      const nowMs = NOW_MS + second * 1_000;
      for (let number = 0; number < 5_000; number++) accumulator.add(named(number, second), nowMs);
      accumulator.coarsen(nowMs);
      expect(accumulator.pendingIntervals).toBeLessThan(10);
    }
    const taken = takeAll(accumulator);
    expect(sumOf(taken, 'foldedRequests')).toBe(0);
    expect(sumOf(taken, 'events')).toBe(30 * 5_000);
    expect(deltasOf(...taken).length).toBeLessThan(30_000);
  });

  it('fold what waits where its times alone are too many', () => {
    const accumulator = new Accumulator();
    for (let ms = 0; ms < 1_100; ms++)
      for (let number = 0; number < 2_000; number++) accumulator.add(named(number, ms), NOW_MS);
    accumulator.coarsen(NOW_MS + 1_000);
    const taken = takeAll(accumulator);
    const deltas = deltasOf(...taken);
    expect(deltas.every(({ series }) => series.operation === '__other__')).toBe(true);
    expect(deltas.length).toBe(1);
    expect(deltas[0]?.upstream).toMatchObject({ count: 1_100 * 2_000, sumMs: (2_000 * 1_099 * 1_100) / 2 });
    expect(sumOf(taken, 'foldedRequests')).toBe(1_100 * 2_000);
  });

  it('keep 64 failed addresses of a series, and count what failed at others together', () => {
    const accumulator = new Accumulator();
    for (let event = 0; event < 10_000; event++) {
      const failedAddresses = [`10.0.${Math.floor(event / 100)}.${event % 100}:80`];
      accumulator.add(observationOf({ failedTryCodes: [502], failedAddresses }), NOW_MS + event);
      if (event % 1_000 === 0) accumulator.coarsen(NOW_MS + event);
    }
    accumulator.coarsen(NOW_MS + HOUR_MS);
    const [delta, ...others] = deltasOf(...takeAll(accumulator));
    expect(others).toEqual([]);
    expect(delta?.failedAddresses.size).toBe(65);
    expect(delta?.failedAddresses.get('__other__')).toBe(10_000 - 64);
    expect(delta?.failedAddresses.get('10.0.0.0:80')).toBe(1);
  });

  it('give as much at a time as makes a batch or a few', () => {
    const accumulator = new Accumulator();
    for (let number = 0; number < 20_000; number++) accumulator.add(named(number), NOW_MS);
    const taken = takeAll(accumulator);
    expect(taken.length).toBeGreaterThan(5);
    for (const { intervals } of taken) expect(intervals[0]?.deltas.length).toBeLessThanOrEqual(3_000);
    expect(deltasOf(...taken)).toHaveLength(20_000);
  });
});

describe('the laws of merging', () => {
  const sameSeries = (delta: Delta, of: Delta): Delta => ({ ...delta, series: of.series });

  it('is associative and commutative', () => {
    fc.assert(
      fc.property(arbitraryDelta, arbitraryDelta, arbitraryDelta, (a, second, third) => {
        const [b, c] = [sameSeries(second, a), sameSeries(third, a)];
        const leftFirst = copyOf(a);
        mergeDelta(leftFirst, copyOf(b));
        mergeDelta(leftFirst, copyOf(c));
        const rightFirst = copyOf(b);
        mergeDelta(rightFirst, copyOf(c));
        const whole = copyOf(a);
        mergeDelta(whole, rightFirst);
        expect(merged(leftFirst)).toEqual(merged(whole));

        const backward = copyOf(b);
        mergeDelta(backward, copyOf(a));
        const forward = copyOf(a);
        mergeDelta(forward, copyOf(b));
        expect(merged(backward)).toEqual(merged(forward));
      }),
      { numRuns: 500, seed: 10 },
    );
  });

  const timed = fc.array(fc.tuple(arbitraryObservation, fc.nat({ max: 3 * HOUR_MS })), { maxLength: 60 });

  function accumulate(observations: readonly (readonly [Observation, number])[]): Taken {
    const accumulator = new Accumulator();
    for (const [observation, offsetMs] of observations) accumulator.add(observation, NOW_MS + offsetMs);
    return accumulator.take(NOW_MS, true);
  }

  it('gives the same for all at once, for parts in any order, and for parts that were merged into minutes and hours', () => {
    fc.assert(
      fc.property(
        timed,
        fc.nat(),
        fc.array(fc.nat({ max: 5 * HOUR_MS }), { maxLength: 5 }),
        (all, cut, coarsenings) => {
          const atOnce = contentOf(deltasOf(accumulate(all)));
          const at = all.length === 0 ? 0 : cut % all.length;
          const parts = [accumulate(all.slice(at)), accumulate(all.slice(0, at))];
          expect(contentOf(deltasOf(...parts))).toEqual(atOnce);

          const accumulator = new Accumulator();
          const taken: Taken[] = [];
          all.forEach(([observation, offsetMs], index) => {
            accumulator.add(observation, NOW_MS + offsetMs);
            const coarsening = coarsenings[index % 7];
            if (coarsening !== undefined) accumulator.coarsen(NOW_MS + coarsening);
            if (index % 11 === 10) taken.push(accumulator.take(NOW_MS + offsetMs));
          });
          taken.push(accumulator.take(NOW_MS, true));
          expect(contentOf(deltasOf(...taken))).toEqual(atOnce);
          const events = taken.reduce((sum, { statistics }) => sum + statistics.events, 0);
          expect(events).toBe(all.length);
        },
      ),
      { numRuns: 300, seed: 11 },
    );
  });
});
