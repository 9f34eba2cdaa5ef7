// Observations for tests: one by hand, and arbitrary ones for laws.
import fc from 'fast-check';
import type { Observation } from '../../kong-plugin/observation';
import { arbitraryAddress } from './batches';

export function observationOf(change: Partial<Observation> = {}): Observation {
  return {
    service: 'orders',
    operation: 'GET list',
    status: 200,
    source: 'upstream',
    errorType: '',
    severity: 'info',
    upstreamMs: 12,
    gatewayMs: 1,
    failedTryCodes: [],
    failedAddresses: [],
    clockFault: false,
    malformed: false,
    ...change,
  };
}

/** Few enough series that they meet again. */
export const arbitraryObservation: fc.Arbitrary<Observation> = fc
  .record({
    service: fc.constantFrom('orders', 'users', ''),
    status: fc.constantFrom(200, 404, 502),
    upstreamMs: fc.option(fc.nat({ max: 100_000 }), { nil: undefined }),
    tries: fc.array(fc.tuple(fc.constantFrom(502, 504), arbitraryAddress), { maxLength: 3 }),
    clockFault: fc.boolean(),
    malformed: fc.boolean(),
  })
  .map(({ tries, ...others }) =>
    observationOf({
      ...others,
      failedTryCodes: tries.map(([code]) => code),
      failedAddresses: tries.flatMap(([, address]) => address ?? []),
    }),
  );
