import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Accumulator } from '../../kong-plugin/accumulator';
import type { Interval } from '../../kong-plugin/contract/batch';
import { seriesKey } from '../../kong-plugin/contract/delta';
import { MAX_CELL_MS } from '../../kong-plugin/contract/histogram';
import { observe } from '../../kong-plugin/observation';
import { sealBatches } from '../../kong-plugin/seal-batches';
import { readSpool } from '../../kong-plugin/spool/read-spool';
import { encodeCheckpoint } from '../../kong-plugin/spool/spool-checkpoint';
import { sealRecord } from '../../kong-plugin/spool/spool-record';
import { TailWriter } from '../../kong-plugin/spool/spool-tail';
import { readBatch } from '../../sidecar/ingest/read-batch';

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

/** Recording -> the addresses that failed. Every other one has none. */
const FAILED: Record<string, string[]> = {
  '200-retries': ['127.0.0.1:18598'],
  '500': ['127.0.0.1:18500'],
  '502-refused': ['127.0.0.1:18599', '127.0.0.1:18599', '127.0.0.1:18599'],
  '504-timeout': ['127.0.0.1:18500', '127.0.0.1:18500'],
  'abort-during-retry': ['127.0.0.1:38500', '127.0.0.1:38500'],
  'grpc-trailers-only-14': ['127.0.0.1:38501'],
};

describe('the upstream addresses that failed', () => {
  it.each(Object.keys(EXPECTED))('in %s are those of its failed tries and of its error', (name) => {
    expect(observe(read(name)).failedAddresses).toEqual(FAILED[name] ?? []);
  });

  interface Target {
    readonly ip?: unknown;
    readonly port?: unknown;
    readonly state?: string;
  }
  const failed = (status: number, ...tries: Target[]): string[] =>
    observe(JSON.stringify({ service: { name: 'up' }, response: { status }, tries })).failedAddresses;

  it('are that of the last try where it answered 500 or more, besides those that failed before', () => {
    const before = { ip: '10.0.0.1', port: 80, state: 'failed' };
    const last = { ip: '10.0.0.2', port: 80 };
    expect(failed(499, before, last)).toEqual(['10.0.0.1:80']);
    expect(failed(500, before, last)).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    expect(failed(500, { ...last, state: 'next' }, last)).toEqual(['10.0.0.2:80']);
  });

  it('are none where the service calls its answer no error', () => {
    const named = [{ service: 'up', status: 500, errorType: 'stock_empty', severity: 'warning' }] as const;
    expect(observe(read('500'), named).failedAddresses).toEqual([]);
    expect(observe(read('500'), [{ ...named[0], severity: 'critical' }]).failedAddresses).toHaveLength(1);
  });

  it.each<[unknown, unknown, string[]]>([
    ['10.0.0.1', 80, ['10.0.0.1:80']],
    ['::1', 8080, ['[::1]:8080']],
    ['[2001:db8::1]', 8080, ['[2001:db8::1]:8080']],
    ['10.0.0.1', undefined, ['10.0.0.1']],
    ['10.0.0.1', 70_000, ['10.0.0.1']],
    ['10.0.0.1', '80', ['10.0.0.1']],
    ['', 80, []],
    [undefined, 80, []],
    [null, 80, []],
    [{ a: 1 }, 80, []],
    ['a b\n\u202e\ud800é', 80, ['a?b????:80']],
    ['x'.repeat(61), 80, [`${'x'.repeat(61)}:80`]],
    ['x'.repeat(62), 80, [`${'x'.repeat(61)}...`]],
    ['é'.repeat(100_000), 80, [`${'?'.repeat(61)}...`]],
  ])('of a try at %j and port %j are %j', (ip, port, expected) => {
    expect(failed(502, { ip, port, state: 'failed' })).toEqual(expected);
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

  const tries = (...codes: unknown[]): string =>
    JSON.stringify({
      response: { status: 200 },
      tries: [...codes.map((code) => ({ state: 'failed', code })), {}],
    });

  it.each([-1, 1_000, 70_000, 502.5, 1e300, '502', null, undefined])(
    'has a failed try counted under 0, and is malformed, where its code is %p',
    (code) => {
      expect(observe(tries(502, code))).toMatchObject({ failedTryCodes: [502, 0], malformed: true });
      expect(observe(tries(502, 504))).toMatchObject({ failedTryCodes: [502, 504], malformed: false });
    },
  );

  const timed = (proxy: number, ...starts: [number, number][]): string =>
    JSON.stringify({
      response: { status: 200 },
      tries: starts.map(([balancer_start, balancer_latency]) => ({ balancer_start, balancer_latency })),
      latencies: { proxy, kong: 1e300 },
    });

  it.each([
    ['a time too long for a clock that was not set', timed(1e300, [1, 0]), MAX_CELL_MS],
    ['tries that are years apart', timed(1, [0, 0], [1e12, 0]), MAX_CELL_MS],
    ['times that add up to infinity', timed(1, [-1e308, 0], [1e308, 0]), MAX_CELL_MS],
    ['times that add up to no number', timed(1, [-1e308, -1e308], [1e308, 1e308], [-1e308, 0]), 0],
  ])('gives a clock fault and a time within bounds for %s', (_what, log, upstreamMs) => {
    expect(observe(log)).toMatchObject({ upstreamMs, clockFault: true, malformed: false });
    expect(observe(log).gatewayMs).toBeLessThanOrEqual(MAX_CELL_MS);
  });

  it('is no clock fault where a request took as long as any can', () => {
    expect(observe(timed(MAX_CELL_MS, [1, 0]))).toMatchObject({
      upstreamMs: MAX_CELL_MS,
      clockFault: false,
    });
  });
});

const oddNumber = fc.oneof(
  fc.constantFrom(
    -1,
    -0,
    0.5,
    504,
    999,
    999.5,
    1_000,
    65_535,
    65_536,
    2 ** 31,
    2 ** 53,
    1e300,
    1e308,
    -1e308,
  ),
  fc.integer(),
  fc.double(),
);
const oddText = fc.oneof(
  fc.constantFrom('', '200', '502', '\ud800', '\u0000', '__proto__', 'constructor', '__other__', 'failed'),
  fc.string({ unit: 'binary', maxLength: 400 }),
);
const odd = fc.oneof(
  { weight: 3, arbitrary: oddNumber },
  { weight: 2, arbitrary: oddText },
  fc.constantFrom(null, true, {}, []),
  fc.array(fc.integer(), { maxLength: 2 }),
);
const record = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 1, arbitrary: odd }, { weight: 9, arbitrary: fc.record(fields, { requiredKeys: [] }) });

const oddTry = record({
  balancer_start_ns: odd,
  balancer_latency_ns: odd,
  balancer_start: oddNumber,
  balancer_latency: oddNumber,
  ip: fc.oneof(fc.ipV4(), fc.ipV6(), odd),
  port: fc.oneof(fc.nat({ max: 65_536 }), odd),
  state: fc.constantFrom('failed', 'failed', 'next', 7),
  code: odd,
});
const oddLog = record({
  service: record({ name: odd, host: odd }),
  route: record({ name: odd, id: odd }),
  request: record({ method: odd }),
  response: record({
    status: fc.oneof(odd, fc.integer({ min: 90, max: 1_010 })),
    headers: record({ 'grpc-status': odd }),
  }),
  latencies: record({ kong: odd, proxy: odd }),
  tries: fc.oneof(odd, fc.array(oddTry, { maxLength: 6 })),
  source: odd,
});

/** What Kong may hand over, as text or as its bytes: logs with odd values, logs that were spoiled, and what is no log. */
const oddDocument: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: oddLog.map((log) => JSON.stringify(log)) },
  { weight: 4, arbitrary: oddLog.map((log) => Buffer.from(JSON.stringify(log))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(oddLog, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([log, at, spoiled]) => {
        const bytes = Buffer.concat([Buffer.from(JSON.stringify(log)), Buffer.alloc(4)]);
        bytes.set(spoiled, at % (bytes.length - 4));
        return bytes;
      }),
  },
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  oddText,
  fc.anything(),
);

/** Intervals as plain data, in an order of their own. */
const plain = (intervals: readonly Interval[]): unknown =>
  intervals.map(({ startMs, deltas }) => [
    startMs,
    deltas
      .map(({ series, requests, upstream, failedTries, failedAddresses }) =>
        JSON.stringify([
          seriesKey(series),
          requests,
          upstream.sumMs,
          [...upstream.cells],
          [...failedTries],
          [...failedAddresses],
        ]),
      )
      .sort(),
  ]);

describe('whatever Kong hands over', () => {
  const named = [{ service: undefined, status: 500, errorType: 'stock_empty', severity: 'warning' }] as const;
  const NOW_MS = 1_800_000_000_000;

  it('becomes a batch that the sidecar takes, and a spool that says the same', () => {
    const seen = { malformed: 0, clockFaults: 0, failedTries: 0, addresses: 0, reached: 0 };
    fc.assert(
      fc.property(fc.array(oddDocument, { minLength: 1, maxLength: 5 }), (documents) => {
        const accumulator = new Accumulator();
        const tail = new TailWriter();
        const checkpoint = encodeCheckpoint({
          producer: 'p',
          nextSequence: 1,
          sealed: [],
          pending: new Accumulator().held(),
          state: 'owned',
        });
        const records = [sealRecord(checkpoint)];
        for (const document of documents) {
          const observation = observe(document, named);
          const series = accumulator.add(observation, NOW_MS);
          records.push(Buffer.from(tail.observation(observation, series, NOW_MS)));
          seen.malformed += Number(observation.malformed);
          seen.clockFaults += Number(observation.clockFault);
          seen.failedTries += observation.failedTryCodes.length;
          seen.addresses += observation.failedAddresses.length;
          seen.reached += Number(observation.upstreamMs !== undefined);
        }
        const { checkpoint: read, unreadBytes } = readSpool(Buffer.concat(records));
        expect(unreadBytes).toBe(0);
        expect(plain(read.pending.intervals)).toEqual(plain(accumulator.held().intervals));
        expect(read.pending.statistics).toEqual(accumulator.held().statistics);

        const [sealed, ...others] = sealBatches(accumulator.take(NOW_MS, true), 'p', 1, null);
        expect(others).toEqual([]);
        const batch = readBatch(sealed?.bytes ?? Buffer.alloc(0));
        expect(batch.ok ? '' : batch.fault.message).toBe('');
        expect(sealed?.requests).toBe(documents.length);
      }),
      { numRuns: 3_000, seed: 13 },
    );
    // What is worth asking came up often.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(100);
  });
});
