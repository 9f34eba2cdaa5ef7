import { addDelta, emptyTally, mergeTally, type Tally } from '../../../sidecar/window/tally';
import { sampleDelta, sampleErrors } from '../../support/sample-delta';
import type { Delta } from '../../../kong-plugin/contract/delta';

function tallyOf(...deltas: Delta[]): Tally {
  const tally = emptyTally();
  for (const delta of deltas) addDelta(tally, delta);
  return tally;
}

describe('a tally', () => {
  it.each([499, 502, 503])(
    'leaves status %i out of the latency, whose fast failures would flatter it',
    (status) => {
      const tally = tallyOf(sampleDelta({ status }, [3]), sampleDelta({}, [700]));
      expect([...tally.latency.cells]).toEqual([[700, 1]]);
      expect(tally.requests).toBe(2);
    },
  );

  it('keeps a 504 in the latency', () => {
    expect(tallyOf(sampleDelta({ status: 504, severity: 'error' }, [605])).latency.count).toBe(1);
  });

  it('counts an error against the Apdex as an error, not by its time', () => {
    const tally = tallyOf(sampleErrors('shop', [3, 4]));
    expect([tally.errors, tally.apdex.count]).toEqual([2, 0]);
  });

  it('counts an error that never reached an upstream', () => {
    const tally = tallyOf(sampleDelta({ status: 503, source: 'gateway', severity: 'error' }, [undefined]));
    expect([tally.requests, tally.errors, tally.latency.count]).toEqual([1, 1, 0]);
  });

  it('counts a client that left by its time, and a warning without an upstream not as a sample', () => {
    const tally = tallyOf(
      sampleDelta({ status: 499, source: 'client', severity: 'warning' }, [900]),
      sampleDelta({ status: 404, source: 'client', severity: 'warning' }, [undefined]),
    );
    expect([tally.requests, tally.errors, [...tally.apdex.cells]]).toEqual([2, 0, [[900, 1]]]);
  });

  it('is the same whether deltas are added or tallies of them are merged', () => {
    const deltas = [sampleDelta({}, [1, 2]), sampleErrors('shop', [9]), sampleDelta({ status: 499 }, [5])];
    const merged = emptyTally();
    for (const delta of deltas) mergeTally(merged, tallyOf(delta));
    expect(merged).toEqual(tallyOf(...deltas));
  });
});
