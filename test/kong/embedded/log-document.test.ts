// The log document of a live request against the recording of a real Kong: the same fields, of the same types.
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { resolve } from 'node:path';
import { observe } from '../../../kong-plugin/observation';
import { eventually } from '../../support/eventually';
import { findFreePorts } from '../../support/free-ports';
import { recorderEntry, startTestGateway, type TestGateway } from '../../support/embedded-gateway';
import { ScriptedUpstream } from '../../support/scripted-upstream';

let upstream: ScriptedUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await ScriptedUpstream.start((request, response) => {
    const { url = '' } = request;
    if (url.includes('hang')) return;
    if (url.includes('status=500')) response.writeHead(500, { 'content-type': 'application/json' }).end('{}');
    else if (url.includes('delay'))
      setTimeout(() => response.writeHead(200, { 'x-up': ['a', 'b'] }).end('late'), 200);
    else {
      request.resume();
      response.writeHead(200, { 'x-up': ['a', 'b'], 'content-type': 'application/json' }).end('{"ok":true}');
    }
  });
  const refused = await findFreePorts(1);
  gateway = await startTestGateway(
    (directory) => `
services:
  - { name: up, host: 127.0.0.1, port: ${upstream.port}, tags: [team-a, tier1], routes: [{ name: r-up, paths: [/u] }] }
  - { name: slow, host: 127.0.0.1, port: ${upstream.port}, read_timeout: 300, retries: 1, routes: [{ name: r-slow, paths: [/slow] }] }
  - { name: refused, host: 127.0.0.1, port: ${refused}, retries: 2, routes: [{ name: r-refused, paths: [/refused] }] }
  - { name: dnsfail, host: no-such-host.invalid, port: 80, routes: [{ name: r-dns, paths: [/dns] }] }
  - { name: pool, host: pool, port: 80, routes: [{ name: r-pool, paths: [/pool] }] }
  - name: term
    host: 127.0.0.1
    port: ${upstream.port}
    routes: [{ name: r-term, paths: [/term], plugins: [{ name: request-termination, config: { status_code: 503 } }] }]
upstreams:
  - { name: pool, targets: [{ target: '127.0.0.1:${refused}', weight: 1 }, { target: '127.0.0.1:${upstream.port}', weight: 1 }] }
routes:
  - { name: r-alone, paths: [/alone], plugins: [{ name: request-termination, config: { status_code: 418 } }] }
plugins:
  - ${recorderEntry(directory)}
`,
    { recording: true },
  );
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

/** The log document of one request. */
async function logOf(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const before = gateway.recorded().length;
  await (await fetch(`${gateway.proxyUrl}${path}`, init)).text();
  return nextLog(before);
}

function nextLog(before: number): Promise<Record<string, unknown>> {
  return eventually(() => {
    const document = gateway.recorded()[before];
    if (!document) throw new Error('no log yet');
    return Promise.resolve(document);
  });
}

function recording(name: string): Record<string, unknown> {
  const file = resolve(__dirname, `../../fixtures/kong/logs/${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

/** Values that differ from one request to the next, and are compared by their keys' presence only at their parent. */
const FREE_KEYS = new Set(['request.headers', 'response.headers', 'request.querystring']);

/** `path: type` of every field. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) {
    return [`${path}: array`, ...new Set(value.flatMap((entry) => shapeOf(entry, `${path}[]`)))];
  }
  if (typeof value === 'object' && value !== null && !FREE_KEYS.has(path)) {
    const inner = Object.entries(value).flatMap(([key, entry]) =>
      shapeOf(entry, path === '' ? key : `${path}.${key}`),
    );
    return [...(path === '' ? [] : [`${path}: object`]), ...inner].sort();
  }
  return [`${path}: ${typeof value}`];
}

describe('the log document', () => {
  const cases: [name: string, path: string, init: RequestInit][] = [
    ['200', '/u?a=1&a=2&flag', {}],
    ['200-post', '/u', { method: 'POST', body: 'some body', headers: { 'content-type': 'text/plain' } }],
    ['200-head', '/u', { method: 'HEAD' }],
    ['200-slow-headers', '/u?delay', {}],
    ['500', '/u?status=500', {}],
    ['404-kong', '/nowhere', {}],
    ['502-refused', '/refused', {}],
    ['503-dnsfail', '/dns', {}],
    ['503-terminated', '/term', {}],
    ['504-timeout', '/slow?hang', {}],
    ['no-service', '/alone', {}],
  ];
  it.each(cases)('has the fields of a real one, of the same types: %s', async (name, path, init) => {
    const [live, real] = [await logOf(path, init), recording(name)];
    // A service's tags and a body's type are the recording's own matter.
    const comparable = (document: Record<string, unknown>): string[] =>
      shapeOf(document).filter((line) => !/^service\.(tags|path)/.test(line));
    expect(comparable(live)).toEqual(comparable(real));
    for (const key of ['source', 'upstream_status'] as const)
      expect([key, live[key]]).toEqual([key, real[key]]);
    const statusOf = (document: Record<string, unknown>): unknown =>
      (document['response'] as { status: number }).status;
    expect(statusOf(live)).toBe(statusOf(real));
    const triesOf = (document: Record<string, unknown>): unknown =>
      (document['tries'] as { state?: string; code?: number }[] | undefined)?.map(({ state, code }) => [
        state,
        code,
      ]);
    expect(triesOf(live)).toEqual(triesOf(real));
    const [seen, expected] = [observe(JSON.stringify(live)), observe(JSON.stringify(real))];
    expect([seen.errorType, seen.source, seen.severity]).toEqual([
      expected.errorType,
      expected.source,
      expected.severity,
    ]);
  });

  it('shows the failed try before one that answered', async () => {
    for (;;) {
      const live = await logOf('/pool');
      if (live['upstream_status'] === '200') continue;
      expect(live['upstream_status']).toBe('502, 200');
      expect(shapeOf(live['tries'])).toEqual(shapeOf(recording('200-retries')['tries']));
      return;
    }
  });

  it("charges an upstream's time to the upstream, and a failed try to itself, as Kong does", async () => {
    // What a busy machine keeps the gateway from its work is the gateway's time: some time it is let alone. The 200 ms that the
    // upstream takes would be in every one.
    await eventually(async () => {
      const slow = (await logOf('/u?delay'))['latencies'] as Record<string, number>;
      expect(slow['proxy']).toBeGreaterThanOrEqual(199);
      expect(slow['kong']).toBeLessThan(50);
    });
    await eventually(async () => {
      const twice = await logOf('/slow?hang');
      const { kong = 0, proxy = 0 } = twice['latencies'] as Record<string, number>;
      expect(kong).toBeGreaterThanOrEqual(299);
      expect(proxy).toBeGreaterThanOrEqual(299);
      const observation = observe(JSON.stringify(twice));
      expect(observation.upstreamMs).toBeGreaterThanOrEqual(598);
      expect(observation.gatewayMs).toBeLessThan(50);
    });
  });

  it('is that of a 499 when the client leaves before the answer', async () => {
    const before = gateway.recorded().length;
    const sent = upstream.requests.length;
    const request = httpRequest(`${gateway.proxyUrl}/u?hang`);
    request.on('error', () => undefined).end();
    await eventually(() => {
      if (upstream.requests.length === sent) throw new Error('not there yet');
      return Promise.resolve();
    });
    request.destroy();
    const live = await nextLog(before);
    expect((live['response'] as { status: number }).status).toBe(499);
    expect(live['upstream_status']).toBe('-');
    expect(observe(JSON.stringify(live)).errorType).toBe('client_closed_request');
  });

  it('redacts what Kong redacts and nothing else', async () => {
    const headers = { authorization: 'Bearer PLANTED', cookie: 'session=PLANTED', 'x-api-key': 'PLANTED' };
    const live = await logOf('/u', { headers });
    const logged = (live['request'] as { headers: Record<string, string> }).headers;
    const real = (recording('200-secrets')['request'] as { headers: Record<string, string> }).headers;
    expect(logged['authorization']).toBe(real['authorization']);
    expect(logged['cookie']).toBe('session=PLANTED');
  });
});
