// Batches for tests: one by hand, and arbitrary ones for laws. All come through the plugin's own histogram and encoding.
import fc from 'fast-check';
import { noStatistics } from '../../kong-plugin/accumulator';
import type { Batch, ProducerStatistics } from '../../kong-plugin/contract/batch';
import { emptyDelta, seriesKey, type Delta, type Series } from '../../kong-plugin/contract/delta';
import { addAddress } from '../../kong-plugin/contract/failed-address';
import { record } from '../../kong-plugin/contract/histogram';

export const NO_STATISTICS: ProducerStatistics = noStatistics();

export const OK_SERIES: Series = {
  service: 'orders',
  operation: 'GET list',
  status: 200,
  source: 'upstream',
  errorType: '',
  severity: 'info',
};

/** A delta of one request for each upstream time; `undefined` reached no upstream. */
export function deltaOf(series: Partial<Series>, upstreamMs: readonly (number | undefined)[]): Delta {
  const delta = emptyDelta({ ...OK_SERIES, ...series });
  delta.requests = upstreamMs.length;
  for (const ms of upstreamMs) if (ms !== undefined) record(delta.upstream, ms);
  return delta;
}

/** A batch of one interval. */
export function batchOf(deltas: readonly Delta[], sequence = 1, producer = 'producer-1'): Batch {
  const events = deltas.reduce((sum, { requests }) => sum + requests, 0);
  return {
    producer,
    sequence,
    intervals: [{ startMs: 1_700_000_000_000, durationMs: 1_000, deltas: [...deltas] }],
    statistics: { ...NO_STATISTICS, events },
    process: null,
    isGoodbye: false,
  };
}

/** Few enough that series meet again, and with hostile names. */
const series = fc.record({
  service: fc.constantFrom('orders', 'users', '', 'quo"te\\'),
  operation: fc.constantFrom('GET list', 'POST add', ''),
  status: fc.constantFrom(0, 200, 404, 499, 502, 503),
  source: fc.constantFrom('client' as const, 'gateway' as const, 'upstream' as const),
  errorType: fc.constantFrom('', 'upstream_timeout', 'rate_limited'),
  severity: fc.constantFrom('info' as const, 'warning' as const, 'error' as const),
});

/** Few enough that they meet again; `undefined` for a try of which Kong told none. */
export const arbitraryAddress = fc.constantFrom('10.0.0.1:80', '10.0.0.2:80', '[::1]:8080', '"<&', undefined);

export const arbitraryDelta: fc.Arbitrary<Delta> = fc
  .record({
    series,
    upstreamMs: fc.array(fc.option(fc.nat({ max: 20_000 }), { nil: undefined }), {
      minLength: 1,
      maxLength: 8,
    }),
    failedTries: fc.array(fc.tuple(fc.constantFrom(502, 504), arbitraryAddress), { maxLength: 3 }),
  })
  .map((parts) => {
    const delta = deltaOf(parts.series, parts.upstreamMs);
    for (const [code, address] of parts.failedTries) {
      delta.failedTries.set(code, (delta.failedTries.get(code) ?? 0) + 1);
      if (address !== undefined) addAddress(delta.failedAddresses, address, 1);
    }
    return delta;
  });

/** The intervals of one batch; a series stands at most once in each. */
export const arbitraryIntervals = fc.array(
  fc.record({
    startMs: fc.nat({ max: 2_000_000_000 }).map((seconds) => seconds * 1_000),
    durationMs: fc.constantFrom(1_000, 60_000, 3_600_000),
    deltas: fc.uniqueArray(arbitraryDelta, {
      maxLength: 5,
      selector: (delta) => seriesKey(delta.series),
    }),
  }),
  { maxLength: 3 },
);
