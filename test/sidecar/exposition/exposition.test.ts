import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ledgerFamilies, STANDARD_BOUNDS_MS } from '../../../sidecar/exposition/ledger-families';
import { createOwnMetrics } from '../../../sidecar/exposition/own-metrics';
import { registryFamilies } from '../../../sidecar/exposition/registry-families';
import { renderFamilies, type ExpositionFormat } from '../../../sidecar/exposition/render-families';
import type { MetricFamily } from '../../../sidecar/exposition/metric-family';
import { addTo, newSeries, type LedgerSeries } from '../../../sidecar/ledger/ledger-state';
import type { Delta } from '../../../kong-plugin/contract/delta';
import { arbitraryIntervals, deltaOf } from '../../support/batches';
import { describeWith } from '../../support/program';

function entryOf(delta: Delta, id = 1): LedgerSeries {
  const entry = newSeries(id, delta.series, 0, 1);
  addTo(entry, delta);
  return entry;
}

function textOf(families: readonly MetricFamily[], format: ExpositionFormat): string {
  return [...renderFamilies(families, format)].join('');
}

const ORDERS = [
  entryOf(deltaOf({}, [49, 50, 51, 250, 251, 2_504, 11_000])),
  entryOf(
    deltaOf(
      {
        status: 404,
        source: 'client',
        errorType: 'route_not_found',
        severity: 'warning',
        service: '',
        operation: '',
      },
      [undefined, undefined],
    ),
  ),
  entryOf({
    ...deltaOf({ status: 502, errorType: 'upstream_unreachable', severity: 'error' }, [3]),
    failedTries: new Map([[502, 3]]),
  }),
];

describe('the metric families of the traffic', () => {
  it('have exactly the names, labels and values of the design, as text', () => {
    expect(textOf(ledgerFamilies(ORDERS, []), 'text')).toBe(`\
# HELP external_request_duration_seconds Time to response headers of requests that reached an upstream, failed tries included
# TYPE external_request_duration_seconds histogram
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="0.05"} 2
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="0.1"} 3
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="0.25"} 4
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="0.5"} 5
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="1"} 5
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="2.5"} 5
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="5"} 6
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="7.5"} 6
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="10"} 6
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="200",le="+Inf"} 7
external_request_duration_seconds_sum{service="orders",operation="GET list",status="200"} 14.155
external_request_duration_seconds_count{service="orders",operation="GET list",status="200"} 7
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="0.05"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="0.1"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="0.25"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="0.5"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="1"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="2.5"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="5"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="7.5"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="10"} 1
external_request_duration_seconds_bucket{service="orders",operation="GET list",status="502",le="+Inf"} 1
external_request_duration_seconds_sum{service="orders",operation="GET list",status="502"} 0.003
external_request_duration_seconds_count{service="orders",operation="GET list",status="502"} 1
# HELP application_errors_total Requests that ended in an error, by its type and who caused it
# TYPE application_errors_total counter
application_errors_total{error_type="route_not_found",endpoint="__unmatched__",source="client"} 2
application_errors_total{error_type="upstream_unreachable",endpoint="GET list",source="upstream"} 1
# HELP gatewatch_requests_total Every request that Kong reported, once; error_type is empty for those without an error
# TYPE gatewatch_requests_total counter
gatewatch_requests_total{service="orders",operation="GET list",status="200",source="upstream",error_type=""} 7
gatewatch_requests_total{service="",operation="",status="404",source="client",error_type="route_not_found"} 2
gatewatch_requests_total{service="orders",operation="GET list",status="502",source="upstream",error_type="upstream_unreachable"} 1
# HELP gatewatch_upstream_failed_tries_total Tries of an upstream target that failed, also where a retry made the request succeed
# TYPE gatewatch_upstream_failed_tries_total counter
gatewatch_upstream_failed_tries_total{service="orders",operation="GET list",code="502"} 3
`);
  });

  it('give every series the bounds that rules need', () => {
    const text = textOf(ledgerFamilies(ORDERS, [400, 1_000]), 'text');
    expect(text.match(/le="0\.4"/g)).toHaveLength(2);
    expect(text.match(/le="1"/g)).toHaveLength(2);
    expect(text).toContain('status="200",le="0.4"} 5');
  });

  it('add up what the ledger tells apart and a family does not', () => {
    const entries = [
      entryOf(deltaOf({}, [10]), 1),
      entryOf(deltaOf({ errorType: 'upstream_timeout', severity: 'error' }, [20]), 2),
      entryOf(deltaOf({ errorType: 'upstream_timeout', severity: 'warning' }, [30]), 3),
    ];
    const text = textOf(ledgerFamilies(entries, []), 'text');
    expect(text).toContain('duration_seconds_count{service="orders",operation="GET list",status="200"} 3');
    expect(text).toContain(
      'application_errors_total{error_type="upstream_timeout",endpoint="GET list",source="upstream"} 2',
    );
  });

  it('come in chunks of whole lines, in parts of a size that does not grow with their number', () => {
    const entries = Array.from({ length: 5_000 }, (_, id) =>
      entryOf(deltaOf({ service: 's'.repeat(256), operation: `GET ${id}` }, [id]), id),
    );
    const chunks = [...renderFamilies(ledgerFamilies(entries, []), 'text')];
    expect(chunks.length).toBeGreaterThan(100);
    expect(chunks.filter((chunk) => !chunk.endsWith('\n'))).toEqual([]);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(80_000);
    expect(chunks.join('').match(/^gatewatch_requests_total\{/gm)).toHaveLength(5_000);
  });

  it('are OpenMetrics when asked: other family names for counters, canonical bounds, an end', () => {
    const text = textOf(ledgerFamilies(ORDERS, []), 'openmetrics');
    expect(text).toContain('# TYPE application_errors counter\napplication_errors_total{');
    expect(text).toContain('le="1.0"');
    expect(text).toContain('le="10.0"');
    expect(text).toContain('le="0.25"');
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  it('escape what a label may hold', () => {
    const entry = entryOf(deltaOf({ service: 'a"b\\c\nd', operation: 'GET é{}=,' }, [1]));
    expect(textOf(ledgerFamilies([entry], []), 'text')).toContain(
      '{service="a\\"b\\\\c\\nd",operation="GET é{}=,",status="200"',
    );
  });

  it('hold as many requests as went in, and cumulative buckets that never fall', () => {
    fc.assert(
      fc.property(arbitraryIntervals, (intervals) => {
        const deltas = intervals.flatMap((interval) => interval.deltas);
        const families = ledgerFamilies(
          deltas.map((delta, id) => entryOf(delta, id)),
          [],
        );
        const total = (name: string): number => {
          const family = families.find((one) => one.name === name);
          if (!family) throw new Error(name);
          return family.type === 'histogram'
            ? family.samples.reduce((sum, { count }) => sum + count, 0)
            : family.samples.reduce((sum, { value }) => sum + value, 0);
        };
        const sum = (of: (delta: Delta) => number): number =>
          deltas.reduce((all, delta) => all + of(delta), 0);
        expect(total('gatewatch_requests_total')).toBe(sum(({ requests }) => requests));
        expect(total('external_request_duration_seconds')).toBe(sum(({ upstream }) => upstream.count));
        expect(total('application_errors_total')).toBe(
          sum(({ series, requests }) => (series.errorType === '' ? 0 : requests)),
        );
        for (const family of families) {
          if (family.type !== 'histogram') continue;
          for (const { counts, count } of family.samples) {
            expect(counts).toHaveLength(STANDARD_BOUNDS_MS.length);
            expect([...counts, count]).toEqual([...counts, count].sort((a, b) => a - b));
          }
        }
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});

describe("the sidecar's own figures", () => {
  it('come out of prom-client with counters, gauges and histograms unchanged', async () => {
    const registry = new Registry();
    const registers = [registry];
    new Counter({ name: 'c_total', help: 'c', labelNames: ['a'], registers }).inc({ a: 'x"y' }, 2);
    new Gauge({ name: 'g', help: 'g', registers }).set(1.5);
    new Histogram({ name: 'h', help: 'h', labelNames: ['a'], buckets: [1, 2], registers }).observe(
      { a: 'z' },
      1.5,
    );
    const families = await registryFamilies(registry);
    expect(textOf(families, 'text')).toBe(`\
# HELP c_total c
# TYPE c_total counter
c_total{a="x\\"y"} 2
# HELP g g
# TYPE g gauge
g 1.5
# HELP h h
# TYPE h histogram
h_bucket{a="z",le="1"} 0
h_bucket{a="z",le="2"} 1
h_bucket{a="z",le="+Inf"} 1
h_sum{a="z"} 1.5
h_count{a="z"} 1
`);
    // Asking for OpenMetrics must not rename anything in the next text answer.
    textOf(families, 'openmetrics');
    expect(textOf(await registryFamilies(registry), 'text')).toContain('# TYPE c_total counter');
  });

  it('name every counter with _total, as OpenMetrics demands', async () => {
    const families = await registryFamilies(createOwnMetrics('0.0.0').registry);
    const counters = families.filter(({ type }) => type === 'counter').map(({ name }) => name);
    expect(counters).toContain('process_cpu_seconds_total');
    expect(counters.filter((name) => !name.endsWith('_total'))).toEqual([]);
  });
});

describeWith('promtool', 'the exposition, read by promtool', (promtool) => {
  it('is without fault, hostile names included', async () => {
    const hostile = fc.sample(arbitraryIntervals, { numRuns: 50, seed: 5 });
    const deltas = hostile.flat().flatMap((interval) => interval.deltas);
    const families = [
      ...ledgerFamilies(
        deltas.map((delta, id) => entryOf(delta, id)),
        [],
      ),
      ...(await registryFamilies(createOwnMetrics('0.0.0').registry)),
    ];
    const { stderr, stdout, status } = spawnSync(promtool, ['check', 'metrics'], {
      input: textOf(families, 'text'),
      encoding: 'utf8',
    });
    // The linter has opinions on names that prom-client chose; a text that cannot be parsed says "error".
    const complaints = `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line !== '' && !/^(nodejs|process)_/.test(line));
    expect(complaints).toEqual([]);
    expect(status).not.toBe(1);
  });
});
