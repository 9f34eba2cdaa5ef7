import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { MetricsReader, type KongMetrics } from '../../../sidecar/kong/metrics-reader';
import { parseSamples, sumOf } from '../../support/samples';

const RECORDED = readFileSync(
  resolve(__dirname, '../../fixtures/kong/prometheus-plugin-metrics.txt'),
  'utf8',
);

function read(...pieces: string[]): KongMetrics {
  const reader = new MetricsReader();
  for (const piece of pieces) reader.add(piece);
  return reader.end();
}

function requestsLine(labels: string, value: string): string {
  return `kong_http_requests_total{${labels}} ${value}\n`;
}

function healthLine(
  target: string,
  address: string,
  state: string,
  value = '1',
  rest = ',subsystem="http"',
): string {
  const labels = `upstream="pool",target="${target}",address="${address}",state="${state}"${rest}`;
  return `kong_upstream_target_health{${labels}} ${value}\n`;
}

describe("what Kong's metrics say", () => {
  it('is read from what a real Kong 3.9.3 has served', () => {
    expect(read(RECORDED)).toEqual({
      requests: 6,
      targets: [
        {
          upstream: 'pool.internal',
          target: '127.0.0.1:18500',
          healthyAddresses: ['127.0.0.1:18500'],
          unhealthyAddresses: [],
        },
        {
          upstream: 'pool.internal',
          target: '127.0.0.1:18598',
          healthyAddresses: ['127.0.0.1:18598'],
          unhealthyAddresses: [],
        },
      ],
      isForeign: false,
      isDamaged: false,
    });
    expect(sumOf(parseSamples(RECORDED), 'kong_http_requests_total')).toBe(6);
  });

  it('does not depend on where the pieces end', () => {
    const whole = read(RECORDED);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: RECORDED.length }), { maxLength: 20 }), (cuts) => {
        const bounds = [0, ...cuts.sort((a, b) => a - b), RECORDED.length];
        const pieces = bounds.slice(1).map((end, index) => RECORDED.slice(bounds[index], end));
        expect(read(...pieces)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it('holds the requests of every series, and names of any characters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.string({ unit: 'binary' }), value: fc.nat() }), { minLength: 1 }),
        (series) => {
          const escape = (name: string): string =>
            name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
          const lines = series.map(({ name, value }) =>
            requestsLine(`service="${escape(name)}",code="200"`, String(value)),
          );
          expect(read(...lines).requests).toBe(series.reduce((sum, { value }) => sum + value, 0));
          const [{ name } = { name: '' }] = series;
          expect(read(healthLine(escape(name), 'a:1', 'healthy')).targets[0]?.target).toBe(name);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('has no number of requests before the first one, or with status_code_metrics off', () => {
    expect(read('kong_datastore_reachable 1\n')).toMatchObject({ requests: undefined, isForeign: false });
    expect(read('# TYPE kong_http_requests_total counter\nkong_node_info 1\n').requests).toBeUndefined();
    expect(read('kong_http_requests_total_seconds 5\n').requests).toBeUndefined();
  });

  it('takes exponents, timestamps, carriage returns and a last line without an end', () => {
    expect(read(requestsLine('code="200"', '1e+15')).requests).toBe(1e15);
    expect(read(requestsLine('code="200"', '7 1760000000000')).requests).toBe(7);
    expect(read('kong_http_requests_total 8\r\nkong_http_requests_total{code="200"} 9').requests).toBe(17);
  });

  it.each([
    ['no value', 'kong_http_requests_total{code="200"}\n'],
    ['a word', requestsLine('code="200"', 'many')],
    ['NaN', requestsLine('code="200"', 'NaN')],
    ['less than nothing', requestsLine('code="200"', '-1')],
    ['labels without an end', 'kong_http_requests_total{code="200" 5\n'],
    ['a line of a megabyte', requestsLine(`code="${'x'.repeat(1024 * 1024)}"`, '5')],
  ])('is damaged where a line of the requests has %s', (_what, line) => {
    const pieces = (requestsLine('code="500"', '1') + line + requestsLine('code="404"', '2')).match(
      /.{1,5000}|\n/gs,
    );
    expect(read(...(pieces ?? []))).toMatchObject({ requests: 3, isDamaged: true });
  });

  it('skips a line without end that is of another family', () => {
    const pieces = Array.from({ length: 50 }, () => 'x'.repeat(10_000));
    expect(read(...pieces, '\n', requestsLine('code="200"', '5'))).toMatchObject({
      requests: 5,
      isDamaged: false,
    });
  });

  it('is of something else where no line is of Kong', () => {
    expect(read('<html>\n<body>kong_http_requests_total 5</body>\n')).toMatchObject({
      requests: undefined,
      isForeign: true,
    });
    expect(read('')).toMatchObject({ isForeign: true });
  });
});

describe('the targets of an upstream', () => {
  it('have each address in the state that holds', () => {
    const lines = [
      healthLine('orders:80', '10.0.0.1:80', 'dns_error', '0'),
      healthLine('orders:80', '10.0.0.1:80', 'healthy'),
      healthLine('orders:80', '10.0.0.1:80', 'unhealthy', '0'),
      healthLine('orders:80', '10.0.0.2:80', 'unhealthy'),
      healthLine('orders:80', '10.0.0.2:80', 'healthchecks_off', '0'),
      healthLine('users:80', '10.0.0.3:80', 'healthchecks_off'),
      healthLine('gone:80', '', 'dns_error'),
    ];
    const upstream = 'pool';
    expect(read(...lines).targets).toEqual([
      {
        upstream,
        target: 'orders:80',
        healthyAddresses: ['10.0.0.1:80'],
        unhealthyAddresses: ['10.0.0.2:80'],
      },
      { upstream, target: 'users:80', healthyAddresses: ['10.0.0.3:80'], unhealthyAddresses: [] },
      { upstream, target: 'gone:80', healthyAddresses: [], unhealthyAddresses: ['dns_error'] },
    ]);
  });

  it('are read without a subsystem too, and not of streams', () => {
    expect(read(healthLine('a:1', '10.0.0.1:1', 'healthy', '1', '')).targets).toHaveLength(1);
    expect(read(healthLine('a:1', '10.0.0.1:1', 'healthy', '1', ',subsystem="stream"')).targets).toEqual([]);
  });

  it('are left out where a line cannot be read or names a state that is not known', () => {
    const { targets } = read(
      'kong_upstream_target_health{upstream="pool",state="healthy"} 1\n',
      'kong_upstream_target_health{upstream="pool",target="a:1" 1\n',
      healthLine('a:1', '10.0.0.1:1', 'drained'),
    );
    expect(targets).toEqual([]);
  });

  it('have 10,000 addresses at the most', () => {
    const lines = Array.from({ length: 10_001 }, (_, index) =>
      healthLine('many:80', `[::${index}]:80`, 'unhealthy'),
    );
    expect(read(...lines).targets[0]?.unhealthyAddresses).toHaveLength(10_000);
  });
});
