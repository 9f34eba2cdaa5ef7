// Deltas as the plugin sends them, said in one line.
import { emptyDelta, type Delta, type Series } from '../../kong-plugin/contract/delta';
import { record } from '../../kong-plugin/contract/histogram';

/** One request for each upstream time (ms); `undefined` for one that never reached an upstream. */
export function sampleDelta(series: Partial<Series>, upstreamMs: readonly (number | undefined)[]): Delta {
  const delta = emptyDelta({
    service: 'shop',
    operation: 'GET cart',
    status: 200,
    source: 'upstream',
    errorType: '',
    severity: 'info',
    ...series,
  });
  delta.requests = upstreamMs.length;
  for (const ms of upstreamMs) if (ms !== undefined) record(delta.upstream, ms);
  return delta;
}

/** Requests of error severity that reached the upstream. */
export function sampleErrors(service: string, upstreamMs: readonly number[]): Delta {
  return sampleDelta(
    { service, status: 500, errorType: 'upstream_server_error', severity: 'error' },
    upstreamMs,
  );
}
