import fc from 'fast-check';
import { AlertBook } from '../../../sidecar/alert/alert-book';
import { alertKey } from '../../../sidecar/alert/alert-key';
import type { Rule } from '../../../sidecar/config/config';
import { ServiceWindows, SLOT_MS } from '../../../sidecar/window/service-windows';
import { sampleDelta, sampleErrors } from '../../support/sample-delta';
import { apdexRule, errorRateRule, p95Rule } from '../../support/sample-rules';

const START = Date.parse('2026-03-01T10:00:00Z');
const MINUTE = 60_000;
const INTERVAL = 5_000;

const slow = (service: string) => [sampleDelta({ service }, [900, 900])];
const fast = (service: string) => [sampleDelta({ service }, [20, 20])];
const failing = (service: string) => [sampleErrors(service, [20, 20])];

/** A book with its windows at a time that the test sets; every round ends in lines such as `fired slow/shop`. */
class Bench {
  readonly windows = new ServiceWindows(10 * MINUTE);
  readonly book = new AlertBook();
  nowMs = START;

  constructor(public rules: readonly Rule[]) {}

  add(...deltas: ReturnType<typeof slow>): void {
    this.windows.add(this.nowMs, deltas, this.nowMs);
  }

  round(): string[] {
    this.windows.forgetBefore(this.nowMs);
    return this.book
      .evaluateRound(this.rules, this.windows, this.nowMs)
      .map(({ kind, alert }) => `${kind} ${alert.rule.name}/${alert.service}`);
  }

  states(): string[] {
    return [...this.book.alerts()]
      .map(({ rule, service, state }) => `${rule.name}/${service} ${state}`)
      .sort();
  }
}

describe('the book of alerts', () => {
  it('judges every rule for every service, each by its own window', () => {
    const bench = new Bench([p95Rule(), errorRateRule(), apdexRule({ windowMs: 5 * MINUTE })]);
    bench.add(...slow('shop'), ...fast('bank'));
    expect(bench.round()).toEqual(['fired slow/shop', 'fired apdex/shop']);
    expect(bench.states()).toEqual([
      'apdex/bank inactive',
      'apdex/shop firing',
      'errors/bank inactive',
      'errors/shop inactive',
      'slow/bank inactive',
      'slow/shop firing',
    ]);
    const shop = [...bench.book.alerts()].find((alert) => alert.service === 'shop');
    expect(shop?.verdict).toEqual({ state: 'breached', value: 900, threshold: 500, samples: 2 });
  });

  it('holds a firing alert of a service that has gone silent, and resolves it when it is back and healthy', () => {
    const bench = new Bench([p95Rule()]);
    bench.add(...slow('shop'));
    expect(bench.round()).toEqual(['fired slow/shop']);
    bench.nowMs += 60 * MINUTE;
    expect(bench.round()).toEqual([]);
    expect(bench.states()).toEqual(['slow/shop firing']);
    bench.add(...fast('shop'));
    expect(bench.round()).toEqual(['resolved slow/shop']);
  });

  it('forgets an inactive alert of a service that no window holds any more', () => {
    const bench = new Bench([p95Rule()]);
    bench.add(...fast('shop'));
    bench.round();
    expect(bench.states()).toEqual(['slow/shop inactive']);
    bench.nowMs += 60 * MINUTE;
    bench.round();
    expect(bench.states()).toEqual([]);
  });

  it('resolves what fires by a rule that a reload removed, once, and forgets its other alerts', () => {
    const bench = new Bench([p95Rule(), errorRateRule()]);
    bench.add(...slow('shop'), ...fast('bank'));
    bench.round();
    bench.rules = [errorRateRule()];
    const changes = bench.book.evaluateRound(bench.rules, bench.windows, bench.nowMs);
    expect(changes).toMatchObject([
      { kind: 'resolved', ruleRemoved: true, alert: { service: 'shop', rule: { name: 'slow' } } },
    ]);
    expect(bench.states()).toEqual(['errors/bank inactive', 'errors/shop inactive']);
    expect(bench.round()).toEqual([]);
  });

  it('keeps an alert whose threshold a reload changed, and resolves it by the new threshold', () => {
    const bench = new Bench([p95Rule()]);
    bench.add(...slow('shop'));
    bench.round();
    bench.rules = [p95Rule({ p95LatencyMs: 800 })];
    expect(bench.round()).toEqual([]);
    bench.rules = [p95Rule({ p95LatencyMs: 1_000 })];
    expect(bench.round()).toEqual(['resolved slow/shop']);
  });

  it('resolves what fires by a rule that now measures something else, and judges the new one from its own beginning', () => {
    const bench = new Bench([p95Rule()]);
    bench.add(...slow('shop'), ...failing('shop'));
    expect(bench.round()).toEqual(['fired slow/shop']);
    bench.rules = [errorRateRule({ name: 'slow', forMs: 20_000 })];
    const changes = bench.book.evaluateRound(bench.rules, bench.windows, bench.nowMs);
    expect(changes).toMatchObject([
      { kind: 'resolved', ruleRemoved: true, alert: { service: 'shop', rule: { kind: 'p95_latency' } } },
    ]);
    expect(bench.states()).toEqual(['slow/shop pending']);
    bench.nowMs += 20_000;
    expect(bench.round()).toEqual(['fired slow/shop']);
  });

  it('does not take over how long a breach has lasted from a rule that measured something else', () => {
    const bench = new Bench([p95Rule({ forMs: 20_000 })]);
    bench.add(...slow('shop'), ...failing('shop'));
    expect(bench.round()).toEqual([]);
    bench.nowMs += 19_000;
    bench.rules = [errorRateRule({ name: 'slow', forMs: 20_000 })];
    expect(bench.round()).toEqual([]);
    bench.nowMs += 19_000;
    expect(bench.round()).toEqual([]);
    bench.nowMs += 1_000;
    expect(bench.round()).toEqual(['fired slow/shop']);
  });

  it('does not fire for the past: what comes later than the window is not seen', () => {
    const bench = new Bench([p95Rule()]);
    bench.windows.add(bench.nowMs - 2 * MINUTE, slow('shop'), bench.nowMs);
    expect(bench.round()).toEqual([]);
    expect(bench.states()).toEqual(['slow/shop inactive']);
  });

  it('changes nothing in a round that throws, so the next round still tells what happened', () => {
    const bench = new Bench([p95Rule()]);
    bench.add(...slow('shop'), ...fast('bank'));
    const tallyOf = bench.windows.tallyOf.bind(bench.windows);
    bench.windows.tallyOf = (service, nowMs, windowMs) => {
      if (service === 'bank') throw new Error('broken');
      return tallyOf(service, nowMs, windowMs);
    };
    expect(() => bench.round()).toThrow('broken');
    expect(bench.states()).toEqual([]);
    bench.windows.tallyOf = tallyOf;
    expect(bench.round()).toEqual(['fired slow/shop']);
  });

  it('asks for each window once in a round, however many rules share it', () => {
    const bench = new Bench([p95Rule(), errorRateRule(), apdexRule({ windowMs: 5 * MINUTE })]);
    bench.add(...slow('shop'));
    const asked: number[] = [];
    const tallyOf = bench.windows.tallyOf.bind(bench.windows);
    bench.windows.tallyOf = (service, nowMs, windowMs) => {
      asked.push(windowMs);
      return tallyOf(service, nowMs, windowMs);
    };
    bench.round();
    expect(asked).toEqual([MINUTE, 5 * MINUTE]);
  });

  it('tells services and rules apart whatever their names hold', () => {
    expect(alertKey('a","b', 'c')).not.toBe(alertKey('a', 'b","c'));
  });

  it('finds trouble within window, `for` and one interval, and its end within window, slot and one interval', () => {
    const trouble: [(options: { windowMs: number; forMs: number }) => Rule, typeof slow][] = [
      [(options) => p95Rule({ ...options, minimumRequests: 10 }), slow],
      [(options) => errorRateRule({ ...options, minimumRequests: 10 }), failing],
      [(options) => apdexRule({ ...options, minimumRequests: 10 }), slow],
      [(options) => apdexRule({ ...options, minimumRequests: 10 }), failing],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...trouble),
        fc.constantFrom(30_000, MINUTE, 5 * MINUTE),
        fc.constantFrom(0, 7_000, 30_000, 2 * MINUTE),
        fc.integer({ min: 0, max: SLOT_MS - 1 }),
        ([ruleOf, bad], windowMs, forMs, phaseMs) => {
          const bench = new Bench([ruleOf({ windowMs, forMs })]);
          bench.nowMs += phaseMs;
          const beganMs = bench.nowMs + windowMs;
          const endedMs = beganMs + windowMs + forMs + INTERVAL;
          const told: [string, number][] = [];
          for (; bench.nowMs < endedMs + 2 * windowMs; bench.nowMs += 1_000) {
            const isBad = bench.nowMs >= beganMs && bench.nowMs < endedMs;
            bench.add(...(isBad ? bad('shop') : fast('shop')));
            if ((bench.nowMs - START - phaseMs) % INTERVAL !== 0) continue;
            for (const line of bench.round()) told.push([line.split(' ')[0] ?? '', bench.nowMs]);
          }
          expect(told.map(([kind]) => kind)).toEqual(['fired', 'resolved']);
          const [fired = 0, resolved = 0] = told.map(([, atMs]) => atMs);
          expect(fired).toBeGreaterThanOrEqual(beganMs + forMs);
          expect(fired).toBeLessThanOrEqual(beganMs + windowMs + forMs + INTERVAL);
          expect(resolved).toBeGreaterThanOrEqual(endedMs);
          expect(resolved).toBeLessThanOrEqual(endedMs + windowMs + SLOT_MS + INTERVAL);
        },
      ),
      { numRuns: 60, seed: 5 },
    );
  });

  it('never fires on too little traffic, however bad it is', () => {
    const rules = [p95Rule, errorRateRule, apdexRule].map((ruleOf) => ruleOf({ minimumRequests: 100 }));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(slow, fast, failing), { minLength: 1, maxLength: 200 }),
        (minutes) => {
          const bench = new Bench(rules);
          for (const traffic of minutes) {
            // 2 requests in 3 s are at most 44 in a window of a minute and a slot.
            bench.nowMs += 3_000;
            bench.add(...traffic('shop'));
            expect(bench.round()).toEqual([]);
          }
        },
      ),
      { numRuns: 30, seed: 6 },
    );
  });

  it('tells fired and resolved of each alert in turn under random traffic, reloads and clock jumps', () => {
    const versions: Rule[][] = [
      [p95Rule(), errorRateRule({ forMs: 10_000 }), apdexRule({ windowMs: 5 * MINUTE })],
      [p95Rule({ p95LatencyMs: 1_000 }), apdexRule()],
      [errorRateRule({ minimumRequests: 5 })],
      // Other measures under names that were there before.
      [errorRateRule({ name: 'slow' }), p95Rule({ name: 'apdex' })],
      [],
    ];
    const step = fc.record({
      passMs: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: -600_000, max: 600_000 })),
      traffic: fc.option(fc.constantFrom(slow, fast, failing)),
      service: fc.constantFrom('shop', 'bank', ''),
      version: fc.option(fc.nat({ max: versions.length - 1 }), { freq: 15 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const bench = new Bench(versions[0] ?? []);
        const firing = new Set<string>();
        for (const { passMs, traffic, service, version } of steps) {
          bench.nowMs += passMs;
          if (traffic) bench.add(...traffic(service));
          if (version !== null) bench.rules = versions[version] ?? [];
          for (const line of bench.round()) {
            const [kind, alert = ''] = line.split(' ');
            expect(kind).toBe(firing.has(alert) ? 'resolved' : 'fired');
            if (kind === 'fired') firing.add(alert);
            else firing.delete(alert);
          }
          expect(
            bench
              .states()
              .filter((line) => line.endsWith(' firing'))
              .map((line) => line.split(' ')[0]),
          ).toEqual([...firing].sort());
        }
      }),
      { numRuns: 150, seed: 7 },
    );
  });
});
