import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Accumulator } from '../../kong-plugin/accumulator';
import { sealBatches } from '../../kong-plugin/seal-batches';
import { readBatch } from '../../sidecar/ingest/read-batch';
import { observe } from '../../kong-plugin/observation';

const LOGS = join(__dirname, '../fixtures/kong/logs');
const read = (name: string): string => readFileSync(join(LOGS, `${name}.json`), 'utf8');

/** Recording -> service, operation, status, error type, source, severity, upstream ms, gateway ms. */
const EXPECTED: Record<string, [string, string, number, string, string, string, number | undefined, number]> =
  {
    '200': ['up', 'GET r-up', 200, '', 'upstream', 'info', 3, 2],
    '200-post': ['up', 'POST r-up', 200, '', 'upstream', 'info', 3, 1],
    '200-head': ['up', 'HEAD r-up', 200, '', 'upstream', 'info', 1, 1],
    '200-slow-headers': ['up', 'GET r-up', 200, '', 'upstream', 'info', 301, 0],
    '200-consumer': ['keyed', 'GET r-keyed', 200, '', 'upstream', 'info', 3, 2],
    '200-retries': ['pooled', 'GET r-pooled', 200, '', 'upstream', 'info', 2, 0],
    '400-bad': ['', '', 400, 'request_rejected', 'client', 'warning', undefined, 3],
    '401-keyauth': ['keyed', 'GET r-keyed', 401, 'unauthorized', 'client', 'warning', undefined, 1],
    '404-kong': ['', '', 404, 'route_not_found', 'client', 'warning', undefined, 0],
    '500': ['up', 'GET r-up', 500, 'upstream_server_error', 'upstream', 'error', 3, 1],
    '502-refused': ['refused', 'GET r-refused', 502, 'upstream_unreachable', 'upstream', 'error', 2, 1],
    '503-dnsfail': ['dnsfail', 'GET r-dnsfail', 503, 'service_unavailable', 'gateway', 'error', undefined, 3],
    '503-terminated': ['term', 'GET r-term', 503, 'service_unavailable', 'gateway', 'error', undefined, 1],
    '504-timeout': ['slow', 'GET r-slow', 504, 'upstream_timeout', 'upstream', 'error', 605, 2],
    'no-healthy-target': [
      'pooled',
      'GET r-dead',
      503,
      'service_unavailable',
      'gateway',
      'error',
      undefined,
      0,
    ],
    'no-service': ['', 'GET r-noservice', 418, 'request_rejected', 'client', 'warning', undefined, 1],
    'cache-hit': ['cache', 'GET r-cache', 200, '', 'gateway', 'info', undefined, 0],
    'slow-upload-aborted': [
      'up',
      'POST r-up',
      400,
      'client_closed_request',
      'client',
      'warning',
      undefined,
      0,
    ],
    'abort-during-retry': [
      'slowretry',
      'GET r-sr',
      499,
      'client_closed_request',
      'client',
      'warning',
      750,
      1,
    ],
    'sse-body-1s': ['up', 'GET r-up', 200, '', 'upstream', 'info', 2, 1],
    'websocket-1500ms': ['up', 'GET r-up', 101, '', 'upstream', 'info', 1, 1],
    'grpc-ok': ['grpc', 'POST r-grpc', 200, '', 'upstream', 'info', 3, 1],
    '200-secrets': ['up', 'GET r-up', 200, '', 'upstream', 'info', 2, 1],
    '429-rate-limited': ['limited', 'GET r-limited', 429, 'rate_limited', 'client', 'warning', undefined, 1],
    'grpc-kong-401': ['grpckey', 'POST r-grpckey', 401, 'unauthorized', 'client', 'warning', undefined, 0],
    'grpc-trailer-13': ['grpc', 'POST r-grpc', 200, '', 'upstream', 'info', 1, 1],
    'grpc-trailers-only-14': ['grpc', 'POST r-grpc', 200, 'upstream_server_error', 'upstream', 'error', 0, 1],
  };

describe('a recorded Kong log', () => {
  it.each(Object.entries(EXPECTED))('%s becomes the observation that the design says', (name, expected) => {
    const seen = observe(read(name));
    expect([
      seen.service,
      seen.operation,
      seen.status,
      seen.errorType,
      seen.source,
      seen.severity,
      seen.upstreamMs,
      seen.gatewayMs,
    ]).toEqual(expected);
    expect(seen.malformed).toBe(false);
  });

  it('has a row above for every recording', () => {
    const recordings = readdirSync(LOGS).map((file) => file.replace('.json', ''));
    expect(Object.keys(EXPECTED).sort()).toEqual(recordings.sort());
  });

  it('shows the retries that a final 200 hides', () => {
    expect(observe(read('200-retries')).failedTryCodes).toEqual([502]);
  });
});

describe('a service that names its own errors', () => {
  const teapot = { service: 'up', status: 500, errorType: 'stock_empty', severity: 'warning' } as const;

  it('is heard for its own statuses only', () => {
    expect(observe(read('500'), [teapot]).errorType).toBe('stock_empty');
    expect(observe(read('500'), [{ ...teapot, service: 'other' }]).errorType).toBe('upstream_server_error');
  });

  it('cannot rename a failure to reach it', () => {
    const rename = { service: 'refused', status: 502, errorType: 'fine', severity: 'info' } as const;
    expect(observe(read('502-refused'), [rename]).errorType).toBe('upstream_unreachable');
  });
});

describe('an odd log', () => {
  it('is counted, and never throws', () => {
    expect(observe('{"trunc')).toMatchObject({ status: 0, malformed: true });
    expect(observe(undefined)).toMatchObject({ status: 0, malformed: true });
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(observe(text).malformed).toBe(true);
      }),
    );
  });

  it('gives a clock fault and 0 ms for a negative upstream time', () => {
    const log = JSON.stringify({
      response: { status: 200 },
      tries: [{ balancer_start: 1, balancer_latency: 0 }],
      latencies: { proxy: -5, kong: 1 },
    });
    expect(observe(log)).toMatchObject({ upstreamMs: 0, clockFault: true });
  });

  it('becomes a batch that the sidecar takes, whatever stands in the fields that are read', () => {
    const odd = fc.oneof(
      fc.constantFrom(null, -1, 1e300, 0.5, '', '200', '\ud800', '__proto__', true),
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.double(),
      fc.array(fc.integer(), { maxLength: 2 }),
    );
    const oddTry = fc.record(
      { balancer_start_ns: odd, balancer_latency_ns: odd, balancer_start: odd, state: odd, code: odd },
      { requiredKeys: [] },
    );
    const oddLog = fc.record(
      {
        service: fc.oneof(odd, fc.record({ name: odd, host: odd })),
        route: fc.oneof(odd, fc.record({ name: odd, id: odd })),
        request: fc.oneof(odd, fc.record({ method: odd })),
        response: fc.oneof(odd, fc.record({ status: odd, headers: fc.record({ 'grpc-status': odd }) })),
        latencies: fc.oneof(odd, fc.record({ kong: odd, proxy: odd })),
        tries: fc.oneof(odd, fc.array(fc.oneof(odd, oddTry), { maxLength: 3 })),
        source: odd,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(oddLog, { maxLength: 5 }), (logs) => {
        const accumulator = new Accumulator();
        for (const log of logs) accumulator.add(observe(JSON.stringify(log)), 1_000);
        const [sealed] = sealBatches(accumulator.take(5_000), 'p', 1, null);
        const read = readBatch(sealed?.bytes ?? Buffer.alloc(0));
        expect(read.ok ? '' : read.fault.message).toBe('');
        expect(sealed?.requests).toBe(logs.length);
      }),
      { numRuns: 2_000, seed: 13 },
    );
  });
});
