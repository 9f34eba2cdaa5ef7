import { CountedRequests } from '../../../sidecar/ledger/counted-requests';
import { sampleDelta } from '../../support/sample-delta';

describe('the requests that were counted', () => {
  const interval = (...services: string[]) => ({
    startMs: 0,
    durationMs: 1_000,
    deltas: services.map((service) => sampleDelta({ service }, [1, undefined])),
  });

  it('are those that have a service, of every interval', () => {
    const counted = new CountedRequests();
    counted.add([interval('shop', ''), interval('pay')]);
    expect(counted.total).toBe(4);
  });

  it('only grow, whatever comes', () => {
    const counted = new CountedRequests();
    counted.add([interval('shop')]);
    counted.add([]);
    counted.add([interval('')]);
    expect(counted.total).toBe(2);
    counted.add([interval('shop')]);
    expect(counted.total).toBe(4);
  });
});
