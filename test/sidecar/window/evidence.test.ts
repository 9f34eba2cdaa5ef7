import fc from 'fast-check';
import { emptyHistogram } from '../../../kong-plugin/contract/histogram';
import { evidenceOf } from '../../../sidecar/window/evidence';
import { ScopeWindows } from '../../../sidecar/window/scope-windows';
import { needsOf } from '../../../sidecar/window/window-needs';
import { sampleDelta, sampleErrors } from '../../support/sample-delta';
import { errorRateRule, latencyRule, trafficDropRule } from '../../support/sample-rules';

const MINUTE = 60_000;
const NOW = 28_000_000 * MINUTE;
const SHOP = { level: 'service', service: 'shop' } as const;

function windowsWith(...deltas: ReturnType<typeof sampleDelta>[]): ScopeWindows {
  const windows = new ScopeWindows(needsOf([errorRateRule()]), NOW);
  windows.add(NOW, deltas, NOW);
  return windows;
}

function failing(address: string, failures: number, service = 'shop') {
  const delta = sampleErrors(service, [5]);
  delta.failedAddresses.set(address, failures);
  return delta;
}

describe('what is worst', () => {
  it('is the operations with the most errors, those without any left out', () => {
    const { operations } = evidenceOf(
      windowsWith(
        sampleDelta({ operation: 'a' }, [1, 2, 3]),
        sampleDelta({ operation: 'b', severity: 'error', status: 500 }, [10]),
        sampleDelta({ operation: 'c', severity: 'error', status: 500 }, [10, 20]),
        sampleDelta({ operation: 'c' }, [900]),
      ),
      SHOP,
      MINUTE,
      NOW,
    );
    expect(operations).toEqual([
      { service: 'shop', operation: 'c', requests: 3, errors: 2, p95Ms: 900 },
      { service: 'shop', operation: 'b', requests: 1, errors: 1, p95Ms: 10 },
    ]);
  });

  it('is the slowest operations where that is asked for, by the times that count as latency', () => {
    const { operations } = evidenceOf(
      windowsWith(
        sampleDelta({ operation: 'fast' }, [1]),
        sampleDelta({ operation: 'slow' }, [800]),
        sampleDelta({ operation: 'left', status: 499, severity: 'warning' }, [9_000]),
      ),
      SHOP,
      MINUTE,
      NOW,
      { by: 'latency' },
    );
    expect(operations.map(({ operation }) => operation)).toEqual(['slow', 'fast']);
  });

  it('is five of each at most', () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => {
      const times = Array.from({ length: index + 1 }, () => 5);
      const delta = sampleDelta({ operation: name, errorType: name, severity: 'error', status: 500 }, times);
      delta.failedAddresses.set(name, index + 1);
      return delta;
    });
    const { operations, errorTypes, addresses } = evidenceOf(windowsWith(...many), SHOP, MINUTE, NOW);
    const worst = ['f', 'e', 'd', 'c', 'b'];
    expect(operations.map(({ operation }) => operation)).toEqual(worst);
    expect(errorTypes.map(({ errorType }) => errorType)).toEqual(worst);
    expect(addresses.map(({ address }) => address)).toEqual(worst);
  });

  it('is error types of error severity before warnings, however many', () => {
    const { errorTypes } = evidenceOf(
      windowsWith(
        sampleDelta({ errorType: 'rate_limited', severity: 'warning', status: 429 }, [undefined, undefined]),
        sampleErrors('shop', [1]),
      ),
      SHOP,
      MINUTE,
      NOW,
    );
    expect(errorTypes).toEqual([
      { errorType: 'upstream_server_error', requests: 1, errors: 1 },
      { errorType: 'rate_limited', requests: 2, errors: 0 },
    ]);
  });

  it('adds up what failed at one address, a retry that hid it included', () => {
    const retried = sampleDelta({}, [30]);
    retried.failedAddresses.set('10.0.0.1:80', 3);
    const windows = windowsWith(retried, failing('10.0.0.1:80', 1), failing('10.0.0.2:80', 2));
    windows.add(NOW - 10_000, [failing('10.0.0.2:80', 7)], NOW);
    expect(evidenceOf(windows, SHOP, MINUTE, NOW).addresses).toEqual([
      { address: '10.0.0.2:80', failures: 9 },
      { address: '10.0.0.1:80', failures: 4 },
    ]);
  });

  it('is of the scope alone', () => {
    const windows = windowsWith(
      failing('shop-address', 1),
      failing('bank-address', 1, 'bank'),
      sampleDelta({ errorType: 'rate_limited', severity: 'warning', status: 429 }, [undefined]),
    );
    const told = (scope: Parameters<typeof evidenceOf>[1]) => {
      const { operations, errorTypes, addresses } = evidenceOf(windows, scope, MINUTE, NOW);
      return [
        operations.map(({ service, requests, errors }) => `${service} ${errors}/${requests}`),
        errorTypes.map(({ errorType }) => errorType),
        addresses.map(({ address }) => address),
      ];
    };
    expect(told({ level: 'gateway' })).toEqual([
      ['shop 1/2', 'bank 1/1'],
      ['upstream_server_error', 'rate_limited'],
      ['bank-address', 'shop-address'],
    ]);
    expect(told({ level: 'service', service: 'bank' })).toEqual([
      ['bank 1/1'],
      ['upstream_server_error'],
      ['bank-address'],
    ]);
    expect(told({ level: 'operation', service: 'shop', operation: 'other' })).toEqual([[], [], []]);
    expect(told({ level: 'error_type', service: 'shop', errorType: 'rate_limited' })).toEqual([
      ['shop 1/2'],
      ['rate_limited'],
      [],
    ]);
    expect(told({ level: 'instance', instance: 'kong:8100' })).toEqual([[], [], []]);
  });

  it('is, of many operations, what looking at each of them gives', () => {
    const timesMs = fc.array(fc.constantFrom(5, 5, 80, 300, 301, 900), { maxLength: 5 });
    const operation = fc.record({ fine: timesMs, failed: timesMs, left: timesMs });
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 1, maxLength: 14 }),
        fc.constantFrom('errors' as const, 'latency' as const),
        (operations, by) => {
          const nameOf = (index: number): string => `operation ${String(index).padStart(2, '0')}`;
          const windows = windowsWith(
            ...operations.flatMap(({ fine, failed, left }, index) =>
              [
                sampleDelta({ operation: nameOf(index) }, fine),
                sampleDelta({ operation: nameOf(index), status: 500, severity: 'error' }, failed),
                sampleDelta({ operation: nameOf(index), status: 499, severity: 'warning' }, left),
              ].filter(({ requests }) => requests > 0),
            ),
          );
          const each = operations.map(({ fine, failed, left }, index) => {
            const times = [...fine, ...failed].sort((a, b) => a - b);
            const p95Ms = times[Math.ceil(0.95 * times.length) - 1];
            const requests = times.length + left.length;
            return { service: 'shop', operation: nameOf(index), requests, errors: failed.length, p95Ms };
          });
          const wanted = each
            .filter(({ errors, p95Ms }) => (by === 'errors' ? errors > 0 : p95Ms !== undefined))
            .sort(
              (a, b) =>
                (by === 'errors' ? b.errors - a.errors : 0) ||
                (b.p95Ms ?? -1) - (a.p95Ms ?? -1) ||
                b.requests - a.requests ||
                (a.operation < b.operation ? -1 : 1),
            );
          const told = evidenceOf(windows, SHOP, MINUTE, NOW, { by });
          expect(told.operations).toEqual(wanted.slice(0, 5));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('of one operation, or of a rare error type, is found without looking at the others of its service', () => {
    const windows = new ScopeWindows(needsOf([errorRateRule()]), NOW);
    const names = Array.from({ length: 2_000 }, (_, index) => `GET ${index}`);
    for (let slot = 0; slot < 6; slot += 1)
      windows.add(
        NOW - slot * 5_000,
        names.map((operation) => sampleDelta({ operation, errorType: 'a', severity: 'error' }, [5, 80])),
        NOW,
      );
    windows.add(NOW, [sampleDelta({ operation: 'GET 7', errorType: 'rare', severity: 'error' }, [5])], NOW);
    const fastestMs = (scope: Parameters<typeof evidenceOf>[1]): number => {
      const durations = Array.from({ length: 7 }, () => {
        const startMs = performance.now();
        evidenceOf(windows, scope, MINUTE, NOW);
        return performance.now() - startMs;
      });
      return Math.min(...durations);
    };
    const ofServiceMs = fastestMs(SHOP);
    expect(fastestMs({ level: 'operation', service: 'shop', operation: 'GET 7' })).toBeLessThan(
      ofServiceMs / 20,
    );
    expect(fastestMs({ level: 'error_type', service: 'shop', errorType: 'rare' })).toBeLessThan(
      ofServiceMs / 20,
    );
  });

  it('is of the window alone', () => {
    const windows = new ScopeWindows(needsOf([errorRateRule({ windowMs: 3 * MINUTE })]), NOW);
    windows.add(NOW, [failing('a', 1)], NOW);
    expect(evidenceOf(windows, SHOP, MINUTE, NOW + 2 * MINUTE).operations).toEqual([]);
    expect(evidenceOf(windows, SHOP, 3 * MINUTE, NOW + 2 * MINUTE).operations).toHaveLength(1);
  });

  it('of a long window has no times of what is older than any rule asks times of, and all the rest', () => {
    const windows = new ScopeWindows(
      needsOf([errorRateRule({ windowMs: 60 * MINUTE }), latencyRule({ windowMs: 10 * MINUTE })]),
      NOW,
    );
    const of = (nowMs: number) => evidenceOf(windows, SHOP, 60 * MINUTE, nowMs);
    windows.add(NOW, [sampleDelta({}, [900, 950]), failing('x', 2)], NOW);
    const early = of(NOW + 10 * MINUTE);
    expect(early.operations.some(({ p95Ms }) => p95Ms !== undefined)).toBe(true);
    expect(windows.view(SHOP, NOW + 9 * MINUTE).latency(10 * MINUTE).count).toBe(3);
    const late = of(NOW + 30 * MINUTE);
    expect(late).toEqual({
      ...early,
      operations: early.operations.map((operation) => ({ ...operation, p95Ms: undefined })),
    });
    expect(windows.view(SHOP, NOW + 30 * MINUTE).latency(10 * MINUTE)).toEqual(emptyHistogram());
  });

  it('counts what comes late for a slot that has let its times go', () => {
    const needs = needsOf([errorRateRule({ windowMs: 60 * MINUTE }), latencyRule({ windowMs: MINUTE })]);
    const windows = new ScopeWindows(needs, NOW);
    windows.add(NOW, [failing('x', 1)], NOW);
    const nowMs = NOW + 30 * MINUTE;
    windows.advance(nowMs);
    windows.add(NOW, [failing('x', 1)], nowMs);
    const { operations, addresses } = evidenceOf(windows, SHOP, 60 * MINUTE, nowMs);
    expect(operations).toMatchObject([{ requests: 2, errors: 2, p95Ms: undefined }]);
    expect(addresses).toEqual([{ address: 'x', failures: 2 }]);
    expect(windows.view(SHOP, nowMs).latency(MINUTE)).toEqual(emptyHistogram());
  });

  it('is not kept where no rule would ask for it', () => {
    const windows = new ScopeWindows(needsOf([trafficDropRule()]), NOW);
    windows.add(NOW, [failing('a', 1)], NOW);
    expect(evidenceOf(windows, SHOP, MINUTE, NOW).addresses).toEqual([]);
  });
});
