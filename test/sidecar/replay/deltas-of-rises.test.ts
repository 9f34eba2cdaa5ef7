import fc from 'fast-check';
import { ERROR_SEVERITIES } from '../../../kong-plugin/contract/error-severities';
import { countAtMost } from '../../../kong-plugin/contract/histogram';
import { ledgerFamilies, STANDARD_BOUNDS_MS } from '../../../sidecar/exposition/ledger-families';
import { deltasOfRises, severityOf } from '../../../sidecar/replay/deltas-of-rises';
import { deltaOf } from '../../support/batches';
import { ledgerSeriesOf } from '../../support/ledger-series';

const GOOD = { service: 'orders', operation: 'GET list', status: '200', source: 'upstream', error_type: '' };

describe('the deltas behind what counters rose by', () => {
  it('have each upstream time at the upper bound of its bucket, beyond the last at twice that', () => {
    const [delta] = deltasOfRises(
      [{ labels: GOOD, requests: 10 }],
      [
        {
          labels: GOOD,
          atMost: new Map([
            [Infinity, 10],
            [500, 9],
            [100, 4],
          ]),
        },
      ],
    );
    expect(delta).toMatchObject({
      series: { service: 'orders', operation: 'GET list', status: 200, severity: 'info', errorType: '' },
      requests: 10,
      upstream: { count: 10, sumMs: 4 * 100 + 5 * 500 + 1_000 },
    });
    expect([...(delta?.upstream.cells ?? [])]).toEqual([
      [100, 4],
      [500, 5],
      [1_000, 1],
    ]);
  });

  it('give the upstream times of a status to the requests that an upstream answered, and to none more than it has', () => {
    const status = '503';
    const own = { ...GOOD, status, error_type: 'upstream_server_error' };
    const gateways = { ...GOOD, status, source: 'gateway', error_type: 'service_unavailable' };
    const deltas = deltasOfRises(
      [
        { labels: gateways, requests: 50 },
        { labels: own, requests: 3 },
      ],
      [
        {
          labels: { ...GOOD, status },
          atMost: new Map([
            [100, 3],
            [Infinity, 3],
          ]),
        },
      ],
    );
    expect(deltas.map(({ series, upstream }) => [series.errorType, series.severity, upstream.count])).toEqual(
      [
        ['service_unavailable', 'error', 0],
        ['upstream_server_error', 'error', 3],
      ],
    );
  });

  it('add up what several targets counted', () => {
    const [delta, ...others] = deltasOfRises(
      [
        { labels: { ...GOOD, instance: 'a' }, requests: 1 },
        { labels: { ...GOOD, instance: 'b' }, requests: 2 },
      ],
      [],
    );
    expect([delta?.requests, others]).toEqual([3, []]);
  });

  it('are as severe as their error type is, and of a name of the own configuration as the status says', () => {
    for (const [type, severity] of Object.entries(ERROR_SEVERITIES))
      expect(severityOf(type, 200)).toBe(severity);
    expect(severityOf('', 500)).toBe('info');
    expect(severityOf('out_of_stock', 409)).toBe('warning');
    expect(severityOf('card_declined', 500)).toBe('error');
    expect(severityOf('toString', 200)).toBe('warning');
  });

  it('count as many at most each bound as the metrics did, whatever was counted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 20_000 }), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: 1, max: 200 }).map((tens) => 10 * tens),
        (times, boundMs) => {
          const counted = deltaOf({}, times);
          const families = ledgerFamilies([ledgerSeriesOf(counted)], [boundMs]);
          const [sample] = families[0]?.samples ?? [];
          if (sample === undefined || !('bounds' in sample)) throw new Error('expected a histogram');
          const atMost = new Map([
            ...sample.bounds.map((bound, index): [number, number] => [
              Math.round(bound * 1000),
              sample.counts[index] ?? 0,
            ]),
            [Infinity, sample.count] as [number, number],
          ]);
          const [delta] = deltasOfRises(
            [{ labels: GOOD, requests: times.length }],
            [{ labels: GOOD, atMost }],
          );
          for (const bound of [...STANDARD_BOUNDS_MS, boundMs])
            expect(countAtMost(delta?.upstream ?? counted.upstream, bound)).toBe(
              countAtMost(counted.upstream, bound),
            );
          expect(delta?.upstream.count).toBe(times.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});
