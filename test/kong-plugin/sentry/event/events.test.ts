// The error event and the transaction of one request, as they are handed to the client.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorEvent, TransactionEvent } from '@sentry/core';
import { createEventEnvelope } from '@sentry/core';
import fc from 'fast-check';
import { observe, type Observation } from '../../../../kong-plugin/observation';
import { NOTHING_HELD_BACK } from '../../../../kong-plugin/sentry/decide/held-back';
import { issueEvent, type IssueInput } from '../../../../kong-plugin/sentry/event/issue-event';
import { readRequestFacts, type RequestFacts } from '../../../../kong-plugin/sentry/event/request-facts';
import { requestTrace } from '../../../../kong-plugin/sentry/event/request-trace';
import { transactionEvent } from '../../../../kong-plugin/sentry/event/transaction-event';
import { leaksOf, PERSONAL, plantedLog } from '../../../support/planted-log';

const LOGS = join(__dirname, '../../../fixtures/kong/logs');
const read = (name: string): string => readFileSync(join(LOGS, `${name}.json`), 'utf8');

const ORIGIN = { publicKey: 'f'.repeat(32), environment: 'production', release: '0.1.0' };
const CLOSED = { sendsPersonalData: false, sendsBodySize: false };
const OPEN = { sendsPersonalData: true, sendsBodySize: true };
const SAMPLED = { isSampled: true, rate: 1 };
const DIGITS = '1234567890abcdef'.repeat(3);

interface Events {
  readonly issue: ErrorEvent;
  readonly transaction: TransactionEvent;
}

function eventsOf(text: string, settings = CLOSED, change: Partial<IssueInput> = {}): Events {
  const facts = readRequestFacts(text, settings);
  if (!facts) throw new Error('the log could not be read');
  const observation = observe(text);
  const input = {
    observation,
    facts,
    trace: requestTrace(facts, DIGITS),
    origin: ORIGIN,
    sample: SAMPLED,
    fingerprint: [observation.service, observation.operation, observation.errorType],
    rewrite: undefined,
    heldBack: NOTHING_HELD_BACK,
    nowMs: endOf(facts),
    ...change,
  };
  return {
    issue: issueEvent(input),
    transaction: transactionEvent({ ...input, sample: input.sample ?? SAMPLED }),
  };
}

function endOf({ startedAtMs = 0, latencies }: RequestFacts): number {
  return startedAtMs + (latencies.requestMs ?? 0);
}

/** What would go over the wire. */
function wireOf(...events: (ErrorEvent | TransactionEvent)[]): string {
  return JSON.stringify(events.map((event) => createEventEnvelope({ ...event })));
}

/** Recording -> type, level, transaction, status of its span, names of the child spans. */
const EXPECTED: Record<string, [string, string, string, string, string]> = {
  '200': ['', 'info', 'GET r-up', 'ok', 'gateway try'],
  '200-consumer': ['', 'info', 'GET r-keyed', 'ok', 'gateway try'],
  '200-head': ['', 'info', 'HEAD r-up', 'ok', 'gateway try'],
  '200-post': ['', 'info', 'POST r-up', 'ok', 'gateway try body'],
  '200-retries': ['', 'info', 'GET r-pooled', 'ok', 'gateway try:unavailable try body'],
  '200-secrets': ['', 'info', 'GET r-up', 'ok', 'gateway try'],
  '200-slow-headers': ['', 'info', 'GET r-up', 'ok', 'gateway try'],
  '400-bad': ['request_rejected', 'warning', '__unmatched__', 'invalid_argument', 'gateway'],
  '401-keyauth': ['unauthorized', 'warning', 'GET r-keyed', 'unauthenticated', 'gateway'],
  '404-kong': ['route_not_found', 'warning', '__unmatched__', 'not_found', 'gateway'],
  '429-rate-limited': ['rate_limited', 'warning', 'GET r-limited', 'resource_exhausted', 'gateway'],
  '500': ['upstream_server_error', 'error', 'GET r-up', 'internal_error', 'gateway try:internal_error body'],
  '502-refused': [
    'upstream_unreachable',
    'error',
    'GET r-refused',
    'unavailable',
    'gateway try:unavailable try:unavailable try:unavailable',
  ],
  '503-dnsfail': ['service_unavailable', 'error', 'GET r-dnsfail', 'unavailable', 'gateway'],
  '503-terminated': ['service_unavailable', 'error', 'GET r-term', 'unavailable', 'gateway'],
  '504-timeout': [
    'upstream_timeout',
    'error',
    'GET r-slow',
    'deadline_exceeded',
    'gateway try:deadline_exceeded try:deadline_exceeded',
  ],
  'abort-during-retry': [
    'client_closed_request',
    'warning',
    'GET r-sr',
    'cancelled',
    'gateway try:deadline_exceeded try:deadline_exceeded try:cancelled',
  ],
  'cache-hit': ['', 'info', 'GET r-cache', 'ok', 'gateway'],
  'grpc-kong-401': ['unauthorized', 'warning', 'POST r-grpckey', 'unauthenticated', 'gateway'],
  'grpc-ok': ['', 'info', 'POST r-grpc', 'ok', 'gateway try body'],
  'grpc-trailer-13': ['', 'info', 'POST r-grpc', 'ok', 'gateway try body'],
  'grpc-trailers-only-14': [
    'upstream_server_error',
    'error',
    'POST r-grpc',
    'unavailable',
    'gateway try:unavailable',
  ],
  'no-healthy-target': ['service_unavailable', 'error', 'GET r-dead', 'unavailable', 'gateway'],
  'no-service': ['request_rejected', 'warning', 'GET r-noservice', 'invalid_argument', 'gateway'],
  'slow-upload-aborted': ['client_closed_request', 'warning', 'POST r-up', 'cancelled', 'gateway'],
  'sse-body-1s': ['', 'info', 'GET r-up', 'ok', 'gateway try body'],
  'websocket-1500ms': ['', 'info', 'GET r-up', 'ok', 'gateway try body'],
};

const PART_NAMES: Readonly<Record<string, string>> = {
  middleware: 'gateway',
  'http.client': 'try',
  'http.client.stream': 'body',
};

function partsOf({ spans = [] }: TransactionEvent): string {
  return spans
    .map(({ op = '', status }) => `${PART_NAMES[op] ?? op}${status === 'ok' ? '' : `:${status}`}`)
    .join(' ');
}

describe('a recorded Kong log', () => {
  it.each(Object.entries(EXPECTED))('%s becomes the events that the design says', (name, expected) => {
    const { issue, transaction } = eventsOf(read(name));
    expect([
      issue.exception?.values?.[0]?.type,
      issue.level,
      transaction.transaction,
      transaction.contexts?.trace?.status,
      partsOf(transaction),
    ]).toEqual(expected);
    expect(issue.transaction).toBe(transaction.transaction);
    expectInside(transaction);
  });

  it('has a row above for every recording', () => {
    const recordings = readdirSync(LOGS).map((file) => file.replace('.json', ''));
    expect(Object.keys(EXPECTED).sort()).toEqual(recordings.sort());
  });
});

describe('the error event', () => {
  it('tells a person what happened, in one sentence', () => {
    const sentence = (name: string): unknown => eventsOf(read(name)).issue.exception?.values?.[0]?.value;
    expect(sentence('504-timeout')).toBe(
      'The upstream did not answer in time (GET r-slow, service slow): status 504 after 607 ms (605 ms in the upstream, 2 ms in the gateway); of 2 tries 2 failed (504, 504).',
    );
    expect(sentence('404-kong')).toBe(
      'No route matches the request: status 404 after 1 ms (no upstream reached, 0 ms in the gateway).',
    );
    expect(sentence('grpc-trailers-only-14')).toContain(
      'The upstream failed (POST r-grpc, service grpc): status 200 (gRPC status 14)',
    );
  });

  it('is grouped, tagged and traced', () => {
    const { issue, transaction } = eventsOf(read('504-timeout'));
    expect(issue).toMatchObject({
      fingerprint: ['slow', 'GET r-slow', 'upstream_timeout'],
      platform: 'other',
      timestamp: 1795462354.086,
      exception: { values: [{ mechanism: { type: 'generic', handled: true } }] },
      contexts: {
        trace: { trace_id: '36398a5ded330b76851baa0dfe2c9577', span_id: '1234567890abcdef' },
        upstream_tries: {
          count: 2,
          try_01_address: '127.0.0.1:18500',
          try_01_result: 'failed',
          try_01_code: 504,
          try_01_ms: 301.37,
          try_02_ms: 304,
        },
        latency: { upstream_ms: 605, gateway_ms: 2, kong_request_ms: 607 },
        kong: { service: 'slow', route: 'r-slow', workspace: 'default' },
        consumer: { identified: false },
      },
    });
    expect(issue.tags).toEqual({
      service: 'slow',
      operation: 'GET r-slow',
      error_type: 'upstream_timeout',
      status: '504',
      source: 'upstream',
      severity: 'error',
      route: 'r-slow',
      workspace: 'default',
    });
    const { trace_id, span_id } = transaction.contexts?.trace ?? {};
    expect(issue.contexts?.trace).toMatchObject({ trace_id, span_id });
    expect(issue).not.toHaveProperty('server_name');
    expect(issue).not.toHaveProperty('request');
  });

  it('is fatal where it is critical, and what a rule makes of it', () => {
    const observation: Observation = { ...observe(read('500')), severity: 'critical' };
    expect(eventsOf(read('500'), CLOSED, { observation }).issue.level).toBe('fatal');
    const rewrite = { level: 'debug', tags: { team: 'billing', status: 'five hundred', empty: '' } } as const;
    const { issue } = eventsOf(read('500'), CLOSED, { observation, rewrite });
    expect(issue.level).toBe('debug');
    expect(issue.tags).toMatchObject({ team: 'billing', status: 'five hundred', service: 'up' });
    expect(issue.tags).not.toHaveProperty('empty');
  });

  it('has no tag and no name that Sentry would refuse for its length', () => {
    const observation = { ...observe(read('500')), operation: `GET ${'😀'.repeat(150)}` };
    const { issue } = eventsOf(read('500'), CLOSED, { observation });
    for (const text of [issue.tags?.['operation'], issue.transaction]) {
      expect(String(text).length).toBeLessThanOrEqual(200);
      expect(String(text)).toMatch(/^GET .*…[\da-f]{12}$/);
      expect(String(text).isWellFormed()).toBe(true);
    }
    const other = { ...observation, operation: `${observation.operation}!` };
    expect(eventsOf(read('500'), CLOSED, { observation: other }).issue.transaction).not.toBe(
      issue.transaction,
    );
  });

  it('tells what was held back, since when, and of which traces', () => {
    const heldBack = {
      count: 4_120,
      sinceMs: 1_795_462_300_000,
      traceIds: ['a'.repeat(32), 'b'.repeat(32)],
      others: 3,
    };
    const { issue } = eventsOf(read('500'), CLOSED, { heldBack });
    expect(issue.contexts?.['held_back']).toEqual({
      count: 4_120,
      since: '2026-11-23T19:31:40.000Z',
      trace_ids: `${'a'.repeat(32)}, ${'b'.repeat(32)}`,
      of_other_issues: 3,
    });
    expect(issue.exception?.values?.[0]?.value).toContain(
      '\nHeld back, not sent: 4120 more of this kind since 2026-11-23T19:31:40.000Z, and 3 of other kinds.',
    );
    expect(eventsOf(read('500')).issue.contexts).not.toHaveProperty('held_back');
    const others = { ...NOTHING_HELD_BACK, others: 2 };
    expect(eventsOf(read('500'), CLOSED, { heldBack: others }).issue.exception?.values?.[0]?.value).toMatch(
      /Held back, not sent: 2 of other kinds\.$/,
    );
  });

  it('names a user with personal data only', () => {
    expect(eventsOf(read('200-consumer'), OPEN).issue.user).toEqual({
      id: 'b32379d9-3d28-5683-a79c-72139be6e34f',
      ip_address: '127.0.0.1',
    });
    const { issue, transaction } = eventsOf(read('200-consumer'));
    expect(issue).not.toHaveProperty('user');
    expect(transaction).not.toHaveProperty('user');
    expect(issue.contexts?.['consumer']).toEqual({ identified: true });
  });

  it('is of now where the log tells an end that cannot be', () => {
    const nowMs = Date.UTC(2030, 0, 1);
    const { issue, transaction } = eventsOf(read('504-timeout'), CLOSED, { nowMs });
    expect(issue.timestamp).toBe(nowMs / 1_000);
    expect(transaction.timestamp).toBe(nowMs / 1_000);
    expect(transaction.start_timestamp).toBe((nowMs - 607) / 1_000);
    expectInside(transaction);
  });
});

describe('the transaction', () => {
  it('has the true times of the parts of the request', () => {
    const { transaction } = eventsOf(read('504-timeout'));
    const startMs = 1795462353479;
    expect(transaction.start_timestamp).toBe(startMs / 1_000);
    expect(transaction.timestamp).toBe((startMs + 607) / 1_000);
    const times = (transaction.spans ?? []).map(({ description, start_timestamp, timestamp = 0 }) => [
      description,
      Math.round(start_timestamp * 1_000 - startMs),
      Math.round(timestamp * 1_000 - startMs),
    ]);
    expect(times).toEqual([
      ['Kong, before the upstream', 0, 1],
      ['GET 127.0.0.1:18500', 1, 303],
      ['GET 127.0.0.1:18500', 303, 607],
    ]);
  });

  it('has the receiving of a long body behind the last try', () => {
    const body = eventsOf(read('sse-body-1s')).transaction.spans?.at(-1);
    expect(body?.op).toBe('http.client.stream');
    expect((body?.timestamp ?? 0) - (body?.start_timestamp ?? 0)).toBeGreaterThan(0.9);
  });

  it('names the tries as Sentry names requests', () => {
    const [, first, second] = eventsOf(read('200-retries')).transaction.spans ?? [];
    expect(first).toMatchObject({
      op: 'http.client',
      origin: 'auto.http.gatewatch',
      status: 'unavailable',
      data: { 'network.peer.port': 18598, 'server.address': 'pool.internal', 'kong.try.failed_code': 502 },
    });
    expect(second).toMatchObject({
      status: 'ok',
      data: {
        'http.response.status_code': 200,
        'http.request.resend_count': 1,
        'http.request.method': 'GET',
      },
    });
    expect(first?.data).not.toHaveProperty(['http.response.status_code']);
  });

  it('has spans of one trace, below the transaction, each of its own id', () => {
    const { spans = [], contexts } = eventsOf(read('502-refused')).transaction;
    for (const span of spans) {
      expect(span.trace_id).toBe(contexts?.trace?.trace_id);
      expect(span.parent_span_id).toBe(contexts?.trace?.span_id);
      expect(span.span_id).toMatch(/^(?!0{16})[\da-f]{16}$/);
    }
    expect(new Set([contexts?.trace?.span_id, ...spans.map(({ span_id }) => span_id)]).size).toBe(
      spans.length + 1,
    );
  });

  it('continues the trace of the caller', () => {
    expect(eventsOf(read('200-secrets')).transaction.contexts?.trace).toMatchObject({
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      parent_span_id: 'b7ad6b7169203331',
    });
  });
});

describe('the dynamic sampling context', () => {
  const withBaggage = (baggage: string): string =>
    JSON.stringify({
      request: {
        headers: { 'sentry-trace': '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1', baggage },
      },
    });
  const headerOf = (event: ErrorEvent | TransactionEvent): unknown =>
    (createEventEnvelope({ ...event })[0] as { trace?: unknown }).trace;

  it('is our own where the gateway is the head of the trace, in the header of both envelopes', () => {
    const sample = { isSampled: true, rate: 0.25 };
    const { issue, transaction } = eventsOf(read('504-timeout'), CLOSED, { sample });
    const expected = {
      trace_id: '36398a5ded330b76851baa0dfe2c9577',
      public_key: 'f'.repeat(32),
      environment: 'production',
      release: '0.1.0',
      transaction: 'GET r-slow',
      sample_rate: '0.25',
      sampled: 'true',
    };
    expect(headerOf(issue)).toEqual(expected);
    expect(headerOf(transaction)).toEqual(expected);
    expect(wireOf(issue, transaction)).not.toContain('sdkProcessingMetadata');
  });

  it('is that of the caller where its baggage has one', () => {
    const text = withBaggage(
      `sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-public_key=${'ab'.repeat(16)},sentry-sample_rate=0.5`,
    );
    const { issue, transaction } = eventsOf(text);
    const expected = {
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      public_key: 'ab'.repeat(16),
      sample_rate: '0.5',
    };
    expect(headerOf(issue)).toEqual(expected);
    expect(headerOf(transaction)).toEqual(expected);
  });

  it('says nothing of sampling where no traces are sent, and is not there without a DSN', () => {
    const untraced = eventsOf(read('500'), CLOSED, { sample: undefined }).issue;
    expect(headerOf(untraced)).not.toHaveProperty('sampled');
    const origin = { ...ORIGIN, publicKey: undefined };
    expect(headerOf(eventsOf(read('500'), CLOSED, { origin }).issue)).toBeUndefined();
  });
});

describe('whatever a Kong log contains', () => {
  it('no planted secret or personal value is in what leaves', () => {
    fc.assert(
      fc.property(plantedLog, ({ text }) => {
        const { issue, transaction } = eventsOf(text, { ...CLOSED, sendsBodySize: true });
        expect(leaksOf(wireOf(issue, transaction), false)).toEqual([]);
      }),
      { seed: 1, numRuns: 600 },
    );
  });

  it('only the four that are asked for are in it with personal data', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(plantedLog, ({ text }) => {
        const { issue, transaction } = eventsOf(text, OPEN);
        const wire = wireOf(issue, transaction);
        expect(leaksOf(wire, true)).toEqual([]);
        for (const value of Object.values(PERSONAL))
          if (wire.includes(String(value))) seen.add(String(value));
      }),
      { seed: 1, numRuns: 600 },
    );
    expect(seen.size).toBe(4);
  });

  it('would be seen by this test if it left', () => {
    fc.assert(
      fc.property(plantedLog, ({ text }) => {
        expect(leaksOf(text, true)).not.toEqual([]);
        expect(leaksOf(text, false).length).toBeGreaterThan(leaksOf(text, true).length);
      }),
      { seed: 1 },
    );
  });

  it('the spans lie within the transaction and follow each other', () => {
    fc.assert(
      fc.property(plantedLog, ({ text }) => expectInside(eventsOf(text).transaction)),
      { seed: 1, numRuns: 600 },
    );
  });

  it('the events are built of any JSON, and small', () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e308, -1e308, 5e-324, 1.8e18));
    const fields = (names: string[]): fc.Arbitrary<unknown> =>
      fc.oneof(
        fc.dictionary(
          fc.constantFrom(...names),
          fc.oneof(number, fc.jsonValue(), fc.string({ maxLength: 5_000 })),
        ),
        fc.jsonValue(),
      );
    const document = fc.record(
      {
        started_at: fc.oneof(number, fc.jsonValue()),
        latencies: fields(['request', 'kong', 'proxy', 'receive']),
        tries: fc.array(
          fields([
            'ip',
            'port',
            'code',
            'state',
            'balancer_start',
            'balancer_start_ns',
            'balancer_latency_ns',
          ]),
          { maxLength: 40 },
        ),
        service: fields(['name', 'host', 'id', 'port', 'protocol']),
        route: fields(['name', 'id']),
        workspace_name: fc.string({ maxLength: 5_000 }),
        request: fields(['id', 'method', 'uri', 'headers', 'size']),
        response: fields(['status', 'headers', 'size']),
        client_ip: fc.jsonValue(),
        consumer: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(document, number, (log, nowMs) => {
        const now = Number.isFinite(nowMs) && nowMs > 0 && nowMs < 8e15 ? nowMs : 1;
        const { issue, transaction } = eventsOf(JSON.stringify(log), OPEN, { nowMs: now });
        expectInside(transaction);
        expect(Buffer.byteLength(wireOf(issue))).toBeLessThan(16_384);
        expect(Buffer.byteLength(wireOf(transaction))).toBeLessThan(32_768);
      }),
      { seed: 1, numRuns: 400 },
    );
  });
});

function expectInside({ start_timestamp = NaN, timestamp = NaN, spans = [] }: TransactionEvent): void {
  expect(start_timestamp).toBeLessThanOrEqual(timestamp);
  let earliest = start_timestamp;
  for (const span of spans) {
    expect(span.start_timestamp).toBeGreaterThanOrEqual(earliest);
    earliest = span.timestamp ?? NaN;
    expect(earliest).toBeGreaterThanOrEqual(span.start_timestamp);
  }
  expect(earliest).toBeLessThanOrEqual(timestamp);
}
