import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { startTestGateway, type TestGateway } from '../../support/embedded-gateway';
import { findFreePorts } from '../../support/free-ports';
import { describeWith } from '../../support/program';
import { parseSamples, sumOf, type ScrapedSample } from '../../support/samples';
import { ScriptedUpstream } from '../../support/scripted-upstream';

const RECORDED = readFileSync(
  resolve(__dirname, '../../fixtures/kong/prometheus-plugin-metrics.txt'),
  'utf8',
);

let upstream: ScriptedUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await ScriptedUpstream.start((_request, response) => void response.end('ok'));
  const refused = await findFreePorts(1);
  gateway = await startTestGateway(
    () => `
services:
  - { name: up, url: 'http://127.0.0.1:${upstream.port}', routes: [{ name: r-up, paths: [/u] }] }
  - { name: pooled, host: pool, routes: [{ name: r-pool, paths: [/p] }] }
  - { name: refused, url: 'http://127.0.0.1:${refused}', retries: 0, routes: [{ name: r-refused, paths: [/refused] }] }
upstreams: [{ name: pool, targets: [{ target: '127.0.0.1:${upstream.port}' }] }]
plugins:
  - name: prometheus
    config: { status_code_metrics: true, latency_metrics: true, bandwidth_metrics: true, upstream_health_metrics: true }
`,
  );
  for (const path of ['/u', '/u', '/u', '/p', '/refused', '/nowhere']) {
    await (await fetch(`${gateway.proxyUrl}${path}`)).text();
  }
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

async function metrics(): Promise<string> {
  return (await fetch(`${gateway.statusUrl}/metrics`)).text();
}

/** Name -> type, of a text. */
function typesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}

/** Name -> its label names. */
function labelsOf(samples: readonly ScrapedSample[]): Record<string, string[]> {
  return Object.fromEntries(samples.map(({ name, labels }) => [name, Object.keys(labels).sort()]));
}

describe('the status API', () => {
  it("serves metrics of the names, types and labels of Kong's prometheus plugin", async () => {
    const [text, samples] = [await metrics(), parseSamples(await metrics())];
    const [types, recordedTypes] = [typesOf(text), typesOf(RECORDED)];
    // There is no Lua here, so nothing of its memory.
    const expected = Object.fromEntries(
      Object.entries(recordedTypes).filter(([name]) => !/memory/.test(name)),
    );
    expect(types).toEqual(expect.objectContaining(expected));
    expect(Object.keys(types).filter((name) => !(name in recordedTypes))).toEqual([]);
    const [labels, recordedLabels] = [labelsOf(samples), labelsOf(parseSamples(RECORDED))];
    for (const [name, names] of Object.entries(labels)) {
      expect([name, names]).toEqual([name, recordedLabels[name] ?? names]);
    }
    for (const name of [
      'kong_http_requests_total',
      'kong_upstream_latency_ms_bucket',
      'kong_bandwidth_bytes',
    ]) {
      expect(Object.keys(labels)).toContain(name);
    }
  });

  it('counts what was served, without what no route matched', async () => {
    const samples = parseSamples(await metrics());
    const requests = (labels: Record<string, string>): number =>
      sumOf(samples, 'kong_http_requests_total', labels);
    expect(requests({ service: 'up', route: 'r-up', code: '200', source: 'service' })).toBe(3);
    expect(requests({ service: 'pooled', code: '200' })).toBe(1);
    expect(requests({ service: 'refused', code: '502', source: 'kong' })).toBe(1);
    expect(requests({})).toBe(5);
    expect(
      sumOf(samples, 'kong_upstream_target_health', { upstream: 'pool', state: 'healthchecks_off' }),
    ).toBe(1);
    expect(sumOf(samples, 'kong_nginx_requests_total')).toBe(6);
  });

  it("serves /status in Kong's form", async () => {
    const status = (await (await fetch(`${gateway.statusUrl}/status`)).json()) as Record<
      string,
      Record<string, unknown>
    >;
    expect(Object.keys(status)).toEqual(
      expect.arrayContaining(['database', 'memory', 'server', 'configuration_hash']),
    );
    expect(status['database']).toEqual({ reachable: true });
    expect(status['server']).toMatchObject({ total_requests: 6 });
    expect((await fetch(`${gateway.statusUrl}/elsewhere`)).status).toBe(404);
  });
});

describeWith('promtool', "the gateway's metrics, read by promtool", (promtool) => {
  it('can be parsed', async () => {
    const { status, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: await metrics(),
      encoding: 'utf8',
    });
    // 3: it has opinions on names, which are Kong's. 1: it cannot read the text.
    expect([0, 3]).toContain(status);
    expect(stderr).not.toContain('error while linting');
  });
});
