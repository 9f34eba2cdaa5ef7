// From a client's request to a number in Prometheus, through real processes. The oracles are those who served the requests:
// the upstreams' own counts, the client's, and the gateway's status API.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { eventually } from '../support/eventually';
import { findFreePorts } from '../support/free-ports';
import { HOST_SERVER, STOCK_SERVER } from '../support/plugin-servers';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf } from '../support/samples';
import { startStack, type Stack } from '../support/stack';

const REQUESTS = 10_000;
/** Of external_request_duration_seconds. */
const BOUNDS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10];

jest.setTimeout(600_000);

let stack: Stack;

afterEach(async () => {
  await stack.stop();
});

describe('a request through the gateway', () => {
  beforeEach(async () => {
    stack = await startStack();
  });

  it('is exactly one count in /metrics', async () => {
    const answer = await fetch(`${stack.proxyUrl}/fast`);
    expect(answer.status).toBe(200);
    await answer.text();
    const samples = await eventually(async () => {
      const scraped = await stack.scrape();
      expect(sumOf(scraped, 'gatewatch_requests_total')).toBeGreaterThan(0);
      return scraped;
    });
    const labels = { service: 'fast', operation: 'GET fast', status: '200' };
    expect(sumOf(samples, 'gatewatch_requests_total')).toBe(1);
    expect(
      sumOf(samples, 'gatewatch_requests_total', { ...labels, source: 'upstream', error_type: '' }),
    ).toBe(1);
    expect(sumOf(samples, 'external_request_duration_seconds_count', labels)).toBe(1);
    expect(sumOf(samples, 'external_request_duration_seconds_bucket', { ...labels, le: '+Inf' })).toBe(1);
    expect(sumOf(samples, 'application_errors_total')).toBe(0);
  });

  it('is an error with its type and source where it failed', async () => {
    let tookMs = 0;
    for (const path of ['/refusing', '/no-such-route', '/teapot', '/timing-out']) {
      const beganMs = performance.now();
      await (await fetch(`${stack.proxyUrl}${path}`)).text();
      tookMs = performance.now() - beganMs;
    }
    const samples = await eventually(async () => {
      const scraped = await stack.scrape();
      expect(sumOf(scraped, 'gatewatch_requests_total')).toBe(4);
      return scraped;
    });
    const errors = samples.filter(({ name }) => name === 'application_errors_total');
    expect(errors.map(({ labels, value }) => [labels, value])).toEqual(
      expect.arrayContaining([
        [{ error_type: 'upstream_unreachable', endpoint: 'GET refusing', source: 'upstream' }, 1],
        [{ error_type: 'route_not_found', endpoint: '__unmatched__', source: 'client' }, 1],
        [{ error_type: 'request_rejected', endpoint: 'GET teapot', source: 'client' }, 1],
        [{ error_type: 'upstream_timeout', endpoint: 'GET timing-out', source: 'upstream' }, 1],
      ]),
    );
    expect(errors).toHaveLength(4);
    // Two tries of half a second each: the fair rule charges the first to the upstream as well. The client waited for both.
    const timedOut = { service: 'timing-out', status: '504' };
    const sum = sumOf(samples, 'external_request_duration_seconds_sum', timedOut);
    expect(sum).toBeGreaterThan(0.95);
    expect(sum).toBeLessThan((tookMs + 5) / 1_000);
  });
});

describe('10,000 mixed requests', () => {
  // The most that the stock plugin server takes without losing connections at its backlog; the host has no such limit.
  it.each([
    { pluginServer: STOCK_SERVER, connections: 32 },
    { pluginServer: HOST_SERVER, connections: 400 },
  ])('over $connections connections are counted exactly, under $pluginServer.title', async (run) => {
    const { connections } = run;
    stack = await startStack({ pluginServer: run.pluginServer });
    // In each hundred: fast ones, retried ones, failing ones, unmatched ones, and one that takes long.
    const paths = Array.from({ length: REQUESTS }, (_, index) => {
      if (index % 200 === 0) return '/slow';
      if (index % 400 === 1) return '/timing-out';
      return (
        ['/fast', '/flaky', '/pooled', '/fast', '/refusing', '/teapot', '/fast', '/no-such-route'][
          index % 8
        ] ?? ''
      );
    });
    const answered = new Map<string, number>();
    const pool = new Pool(stack.proxyUrl, { connections, pipelining: 1 });
    let next = 0;
    const sendAll = async (): Promise<void> => {
      for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
        const { statusCode, body } = await pool.request({ method: 'GET', path });
        await body.dump();
        const key = `${path} ${statusCode}`;
        answered.set(key, (answered.get(key) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: connections }, sendAll));
    await pool.close();
    const countOf = (prefix: string): number =>
      [...answered].reduce((sum, [key, count]) => sum + (key.startsWith(prefix) ? count : 0), 0);
    expect(countOf('')).toBe(REQUESTS);

    const samples = await eventually(async () => {
      const scraped = await stack.scrape();
      expect(sumOf(scraped, 'gatewatch_requests_total')).toBe(REQUESTS);
      return scraped;
    });
    const requests = (labels: Record<string, string>): number =>
      sumOf(samples, 'gatewatch_requests_total', labels);
    expect(sumOf(samples, 'gatewatch_plugin_events_total')).toBe(REQUESTS);
    expect(sumOf(samples, 'gatewatch_plugin_malformed_logs_total')).toBe(0);

    // The client's counts, by service and status.
    for (const [key, count] of answered) {
      const [path = '', status = ''] = key.split(' ');
      const service = { '/teapot': '', '/no-such-route': '' }[path] ?? path.slice(1);
      const operation = path === '/no-such-route' ? '' : `GET ${path.slice(1)}`;
      expect([key, requests({ service, operation, status })]).toEqual([key, count]);
    }
    // The upstreams' counts: one try each, except where the gateway tried again.
    const { served } = stack.upstreams;
    expect(requests({ service: 'fast' })).toBe(served.fast);
    expect(requests({ service: 'slow' })).toBe(served.slow);
    expect(requests({ service: 'flaky' })).toBe(served.flaky);
    expect(requests({ service: 'pooled', status: '200' })).toBe(served.pooled);
    const failedTries = (service: string): number =>
      sumOf(samples, 'gatewatch_upstream_failed_tries_total', { service });
    // Two tries each, of which a busy upstream may not have read all before they were given up.
    expect(failedTries('timing-out')).toBe(2 * countOf('/timing-out '));
    expect(failedTries('timing-out')).toBeGreaterThanOrEqual(served['timing-out']);
    expect(failedTries('refusing')).toBe(3 * countOf('/refusing '));
    expect(failedTries('pooled')).toBeGreaterThan(0);
    // Each that reached an upstream has a time, and no other.
    expect(sumOf(samples, 'external_request_duration_seconds_count')).toBe(
      REQUESTS - countOf('/teapot ') - countOf('/no-such-route '),
    );
    // Kong's prometheus plugin leaves out what has no service: here the route that answers itself, and what no route matched.
    const kong = parseSamples(await (await fetch(`${stack.statusUrl}/metrics`)).text());
    expect(sumOf(kong, 'kong_http_requests_total')).toBe(
      REQUESTS - countOf('/teapot ') - countOf('/no-such-route '),
    );
  });
});

describeWith('prometheus', 'a real Prometheus that scrapes the sidecar', (prometheus) => {
  beforeEach(async () => {
    stack = await startStack();
  });

  it('answers the same numbers to a query', async () => {
    const tookS: number[] = [];
    for (let sent = 0; sent < 26; sent++) {
      const beganMs = performance.now();
      await (await fetch(`${stack.proxyUrl}/${sent < 25 ? 'fast' : 'refusing'}`)).text();
      tookS.push((performance.now() - beganMs) / 1_000);
    }

    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-prometheus-'));
    const port = await findFreePorts(1);
    writeFileSync(
      join(directory, 'prometheus.yml'),
      [
        'global: { scrape_interval: 200ms }',
        'scrape_configs:',
        '  - job_name: gatewatch',
        `    static_configs: [{ targets: ['${stack.sidecarUrl.replace('http://', '')}'] }]`,
        '',
      ].join('\n'),
    );
    const program = new RunningProgram(prometheus, [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    try {
      const query = async (expression: string): Promise<number> => {
        const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
        const { data } = (await (await fetch(url)).json()) as {
          data: { result: { value: [number, string] }[] };
        };
        expect(data.result).toHaveLength(1);
        return Number(data.result[0]?.value[1]);
      };
      await eventually(async () => expect(await query('sum(gatewatch_requests_total)')).toBe(26));
      expect(await query('sum(external_request_duration_seconds_count{service="fast",status="200"})')).toBe(
        25,
      );
      expect(
        await query('application_errors_total{error_type="upstream_unreachable",endpoint="GET refusing"}'),
      ).toBe(1);
      // In the bucket of the longest at most, as its client saw it.
      const longestS = Math.max(...tookS);
      const p95 = 'histogram_quantile(0.95, sum by (le) (external_request_duration_seconds_bucket))';
      expect(await query(p95)).toBeLessThanOrEqual(BOUNDS_S.find((bound) => bound >= longestS) ?? Infinity);
      expect(await query('up{job="gatewatch"}')).toBe(1);
    } finally {
      await program.end();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
