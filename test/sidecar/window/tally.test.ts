import fc from 'fast-check';
import type { Delta } from '../../../kong-plugin/contract/delta';
import { addCounts, countsOf, emptyCounts, type Counts } from '../../../sidecar/window/counts';
import {
  countsOfTally,
  emptyTally,
  judgedAs,
  mergeTally,
  tallyOf,
  type Tally,
} from '../../../sidecar/window/tally';
import { sampleDelta, sampleErrors } from '../../support/sample-delta';

const BOUNDS_MS = [100, 400];

function cellsOf(delta: Delta): number[] {
  return tallyOf(delta, judgedAs(delta)).cells;
}

const times = fc.array(fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined }), {
  minLength: 1,
  maxLength: 20,
});

describe('a tally', () => {
  it('keeps upstream times in order, each once with its count', () => {
    expect(cellsOf(sampleDelta({}, [700, 3, 700, undefined, 20]))).toEqual([3, 1, 20, 1, 700, 2]);
  });

  it.each([502, 503])('keeps no time of an error of status %i, which nothing is judged by', (status) => {
    const delta = sampleDelta({ status, severity: 'error' }, [3]);
    expect([tallyOf(delta, judgedAs(delta)).requests, cellsOf(delta)]).toEqual([1, []]);
  });

  it.each([
    ['a client that left', 499, 'warning'],
    ['an error with an answer', 500, 'error'],
  ] as const)('keeps the time of %s', (_, status, severity) => {
    expect(cellsOf(sampleDelta({ status, severity }, [3]))).toEqual([3, 1]);
  });

  it('does not change a delta, nor does a merge change what it adds', () => {
    const delta = sampleDelta({}, [5]);
    delta.failedAddresses.set('10.0.0.1:80', 2);
    const [target, added] = [tallyOf(delta, judgedAs(delta)), tallyOf(delta, judgedAs(delta))];
    mergeTally(target, added);
    expect(target).toEqual({
      requests: 2,
      sumMs: 10,
      cells: [5, 2],
      addresses: new Map([['10.0.0.1:80', 4]]),
    });
    expect(added).toEqual({ requests: 1, sumMs: 5, cells: [5, 1], addresses: new Map([['10.0.0.1:80', 2]]) });
    expect([delta.requests, delta.upstream.count, [...delta.failedAddresses.values()]]).toEqual([1, 1, [2]]);
  });

  it.each([
    { severity: 'info' },
    { severity: 'error', status: 500 },
    { severity: 'error', status: 502 },
  ] as const)('counts the same as the deltas that it was made of: %j', (series) => {
    fc.assert(
      fc.property(fc.array(times, { maxLength: 5 }), (lists) => {
        const deltas = lists.map((list) => sampleDelta(series, list));
        const judged = judgedAs(sampleDelta(series, []));
        const tally: Tally = emptyTally();
        const counts: Counts = emptyCounts(BOUNDS_MS);
        for (const delta of deltas) {
          mergeTally(tally, tallyOf(delta, judged));
          addCounts(counts, countsOf(delta, BOUNDS_MS), 1);
        }
        expect(countsOfTally(tally, judged, BOUNDS_MS)).toEqual(counts);
      }),
      { numRuns: 50 },
    );
  });

  it('counts an error by its severity alone', () => {
    const errors = sampleErrors('shop', [3, 4]);
    expect(countsOfTally(tallyOf(errors, judgedAs(errors)), judgedAs(errors), BOUNDS_MS)).toEqual([
      2, 2, 0, 0, 0,
    ]);
  });
});
