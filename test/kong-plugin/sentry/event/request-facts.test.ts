import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { fairTimes } from '../../../../kong-plugin/fair-times';
import { readKongLog } from '../../../../kong-plugin/kong-log';
import {
  MAX_TOLD_TRIES,
  readRequestFacts,
  type RequestFacts,
} from '../../../../kong-plugin/sentry/event/request-facts';

const LOGS = join(__dirname, '../../../fixtures/kong/logs');
const read = (name: string): string => readFileSync(join(LOGS, `${name}.json`), 'utf8');

const CLOSED = { sendsPersonalData: false, sendsBodySize: false };
const OPEN = { sendsPersonalData: true, sendsBodySize: true };

function factsOf(document: unknown, settings = CLOSED): RequestFacts {
  const facts = readRequestFacts(JSON.stringify(document), settings);
  if (!facts) throw new Error('the log could not be read');
  return facts;
}

describe('the facts of a recorded request', () => {
  it('are those that the log has', () => {
    expect(readRequestFacts(read('504-timeout'), CLOSED)).toEqual({
      requestId: '36398a5ded330b76851baa0dfe2c9577',
      startedAtMs: 1795462353479,
      method: 'GET',
      requestBytes: 93,
      responseBytes: 415,
      latencies: { requestMs: 607, kongMs: 303, proxyMs: 304, receiveMs: 0 },
      tries: [
        {
          number: 1,
          ip: '127.0.0.1',
          port: 18500,
          failed: true,
          code: 504,
          startMs: expect.closeTo(1795462353480.433, 3) as number,
          balancerMs: 0.035072,
          upstreamMs: expect.closeTo(301.372, 2) as number,
        },
        {
          number: 2,
          ip: '127.0.0.1',
          port: 18500,
          failed: true,
          code: 504,
          startMs: expect.closeTo(1795462353781.84, 3) as number,
          balancerMs: 0.414464,
          upstreamMs: 304,
        },
      ],
      triesLeftOut: 0,
      service: {
        name: 'slow',
        id: '0a2913b5-5bc2-57dc-a95f-05eecb456a10',
        host: '127.0.0.1',
        port: 18500,
        protocol: 'http',
      },
      route: { name: 'r-slow', id: '6aa89fc7-129a-5e6d-b816-1859da69d913' },
      workspace: 'default',
      hasConsumer: false,
      status: 504,
      grpcStatus: undefined,
      traceParent: undefined,
      personal: undefined,
    });
  });

  it('are the same of the bytes', () => {
    expect(readRequestFacts(Buffer.from(read('504-timeout')), OPEN)).toEqual(
      readRequestFacts(read('504-timeout'), OPEN),
    );
  });

  it('name the trace that the request continues', () => {
    expect(readRequestFacts(read('200-secrets'), CLOSED)?.traceParent).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      sampled: true,
    });
  });

  it('have the gRPC status of a response without a body', () => {
    expect(readRequestFacts(read('grpc-trailers-only-14'), CLOSED)?.grpcStatus).toBe(14);
  });

  it.each(readdirSync(LOGS).map((file) => file.replace('.json', '')))(
    '%s: the times of the tries add up to the fair upstream time',
    (name) => {
      const log = readKongLog(read(name));
      const facts = readRequestFacts(read(name), CLOSED);
      if (!log || !facts) throw new Error(`${name} could not be read`);
      const times = facts.tries.map(({ upstreamMs }) => upstreamMs ?? 0);
      const sumMs = times.length === 0 ? undefined : Math.round(times.reduce((sum, ms) => sum + ms, 0));
      expect(sumMs).toBe(fairTimes(log).upstreamMs);
    },
  );
});

describe('personal data', () => {
  it('is not in the facts without the switch, though it is known that somebody called', () => {
    const facts = readRequestFacts(read('200-consumer'), { ...CLOSED, sendsBodySize: true });
    expect(facts).toMatchObject({ hasConsumer: true, personal: undefined });
  });

  it('is the id of the consumer, the address and the path with it', () => {
    expect(readRequestFacts(read('200-consumer'), OPEN)?.personal).toEqual({
      consumerId: 'b32379d9-3d28-5683-a79c-72139be6e34f',
      clientAddress: '127.0.0.1',
      path: '/keyed/z',
      declaredBodyBytes: undefined,
    });
  });

  it.each([
    ['/a/b?token=x', '/a/b'],
    ['/a/b#token', '/a/b'],
    ['/a;jsessionid=x/b;v=1?q', '/a/b'],
    ['http://user:secret@host/a', undefined],
    ['?token=x', undefined],
    ['', undefined],
    [undefined, undefined],
    [['/a'], undefined],
  ])('has of the path %p only %p', (uri, path) => {
    expect(factsOf({ request: { uri } }, OPEN).personal?.path).toBe(path);
  });

  it('has no path of any length', () => {
    const path = factsOf({ request: { uri: `/${'a'.repeat(100_000)}` } }, OPEN).personal?.path ?? '';
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(256);
  });

  it.each(['alice', '999.1.1.1', '', 12, null])('has no client address %p', (address) => {
    expect(factsOf({ client_ip: address }, OPEN).personal?.clientAddress).toBeUndefined();
  });

  it('has an IPv6 address', () => {
    expect(factsOf({ client_ip: '2001:db8::1' }, OPEN).personal?.clientAddress).toBe('2001:db8::1');
  });

  it.each(['alice@example.com', 12, ['b32379d9-3d28-5683-a79c-72139be6e34f']])(
    'has no consumer id that is not from Kong: %p',
    (id) => {
      expect(factsOf({ consumer: { id } }, OPEN).personal?.consumerId).toBeUndefined();
    },
  );

  it('has the declared size of the body only where that is asked for too', () => {
    const log = { request: { headers: { 'content-length': '1024' } } };
    expect(factsOf(log, OPEN).personal?.declaredBodyBytes).toBe(1024);
    expect(factsOf(log, { ...OPEN, sendsBodySize: false }).personal?.declaredBodyBytes).toBeUndefined();
  });

  it.each(['', '-1', '1e9', '12 and more', '9'.repeat(16), ['12', '12'], 12])(
    'has no declared size %p',
    (length) => {
      const log = { request: { headers: { 'content-length': length } } };
      expect(factsOf(log, OPEN).personal?.declaredBodyBytes).toBeUndefined();
    },
  );
});

describe('an odd log', () => {
  it('has no facts where it is no object', () => {
    for (const text of ['', '{', 'null', '12', '[]', '"text"', '{"a":1}x']) {
      expect(readRequestFacts(text, OPEN)).toBeUndefined();
    }
  });

  it('has facts where it is deeper than any stack', () => {
    const deep = `{"request":{"id":"${'a'.repeat(32)}","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`;
    expect(readRequestFacts(deep, OPEN)?.requestId).toBe('a'.repeat(32));
  });

  it('has nothing of what is missing', () => {
    const facts = factsOf({}, OPEN);
    expect(facts).toMatchObject({ method: 'OTHER', tries: [], triesLeftOut: 0, hasConsumer: false });
    expect(facts.latencies).toEqual({
      requestMs: undefined,
      kongMs: undefined,
      proxyMs: undefined,
      receiveMs: undefined,
    });
  });

  it('has no number that is no size, port, code or time', () => {
    const facts = factsOf({
      started_at: -1,
      request: { size: 1e300, method: 'STEAL' },
      response: { size: 1.5, status: 70_000, headers: { 'grpc-status': '99' } },
      latencies: { request: 1e300, kong: -1, proxy: '3', receive: null },
      service: { port: 70_000, protocol: 'gopher', id: 'mine' },
      tries: [{ port: -1, code: 1_000, balancer_start_ns: 1e300, balancer_latency_ns: -1 }],
    });
    expect(facts).toEqual(factsOf({ tries: [{}] }));
  });

  it.each(['get', 'GET', 'Patch'])('knows the method %p', (method) => {
    expect(factsOf({ request: { method } }).method).toBe(method.toUpperCase());
  });

  it('never throws, for any text, any JSON and any fields', () => {
    const anyFields = fc.dictionary(
      fc.constantFrom(
        'request',
        'response',
        'headers',
        'tries',
        'latencies',
        'service',
        'route',
        'consumer',
        'id',
        'uri',
      ),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          anyFields.map((fields) => JSON.stringify(fields)),
        ),
        (text) => {
          expect(() => readRequestFacts(text, OPEN)).not.toThrow();
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('of many tries', () => {
  it('the first ones and the last are told, with their places and their times', () => {
    const tries = Array.from({ length: 25 }, (_, index) => ({
      state: 'failed',
      code: 502,
      ip: '10.0.0.1',
      balancer_start: 1_000_000 + index * 10,
      balancer_latency: 1,
    }));
    const facts = factsOf({ tries, latencies: { proxy: 77 } });
    expect(facts.tries.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 25]);
    expect(facts.tries).toHaveLength(MAX_TOLD_TRIES);
    expect(facts.triesLeftOut).toBe(15);
    expect(facts.tries.map(({ upstreamMs }) => upstreamMs)).toEqual([...Array<number>(9).fill(9), 77]);
  });

  it('none is left out while there is room for all', () => {
    const facts = factsOf({ tries: Array.from({ length: 10 }, () => ({})) });
    expect(facts.tries.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(facts.triesLeftOut).toBe(0);
  });
});
