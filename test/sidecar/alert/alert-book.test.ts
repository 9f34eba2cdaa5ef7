import fc from 'fast-check';
import type { Alert } from '../../../sidecar/alert/alert';
import { AlertBook, type Subjects } from '../../../sidecar/alert/alert-book';
import { alertId, alertKey } from '../../../sidecar/alert/alert-key';
import { decodeAlert, encodeAlerts } from '../../../sidecar/alert/alert-memory';
import type { Rule, ScopeLevel } from '../../../sidecar/config/rule';
import { GATEWAY, labelsOf, type Scope } from '../../../sidecar/window/scope';
import { errorRateRule, latencyRule } from '../../support/sample-rules';
import { verdictOf } from '../../support/sample-verdicts';

const START = Date.parse('2026-03-01T10:00:00Z');
const MINUTE = 60_000;

function serviceOf(name: string): Scope {
  return { level: 'service', service: name };
}

function operationOf(service: string, operation: string): Scope {
  return { level: 'operation', service, operation };
}

/** Such as `shop`, `shop GET /`, and `gateway`. */
function nameOf(scope: Scope): string {
  return Object.values(labelsOf(scope)).join(' ') || scope.level;
}

function describeAlert({ rule, scope }: Alert): string {
  return `${rule.name}/${nameOf(scope)}`;
}

/** A book and what it judges: scopes that the test puts there, each with a word for all rules or for one. */
class Bench implements Subjects {
  book = new AlertBook();
  nowMs = START;
  there: Scope[] = [];
  /** By the scope's name, or by `rule/scope`; `good` where nothing is said, `none` of a scope that is not there. */
  words: Record<string, string> = {};
  /** Names of scopes that are no longer watched. */
  unwatched: string[] = [];
  readonly listed: ScopeLevel[] = [];
  judged: [Rule, Scope][] = [];

  constructor(public rules: readonly Rule[]) {}

  /** A new object each time, as of something that was just read. */
  *scopes(level: ScopeLevel): Generator<Scope> {
    this.listed.push(level);
    for (const scope of this.there) if (scope.level === level) yield { ...scope };
  }

  isWatched(scope: Scope): boolean {
    return !this.unwatched.includes(nameOf(scope));
  }

  judge(rule: Rule, scope: Scope): ReturnType<typeof verdictOf> {
    this.judged.push([rule, scope]);
    const name = nameOf(scope);
    const isThere = this.there.some((other) => nameOf(other) === name);
    const word = this.words[`${rule.name}/${name}`] ?? this.words[name] ?? (isThere ? 'good' : 'none');
    if (word === 'throw') throw new Error('broken');
    return verdictOf(word);
  }

  /** Lines such as `fired slow/shop`, and of an end its reason. */
  round(afterMs = 5_000): string[] {
    this.nowMs += afterMs;
    this.judged = [];
    return this.book
      .evaluateRound(this.rules, this, this.nowMs)
      .map(({ kind, alert, endReason }) =>
        [kind, describeAlert(alert), ...(endReason ? [endReason] : [])].join(' '),
      );
  }

  states(): string[] {
    return [...this.book.alerts()].map((alert) => `${describeAlert(alert)} ${alert.state}`).sort();
  }

  restart(): void {
    const stored = JSON.parse(JSON.stringify(encodeAlerts(this.book.alerts()))) as unknown[];
    this.book = new AlertBook();
    this.book.restore(stored.flatMap((value) => decodeAlert(value, this.rules) ?? []));
  }
}

describe('a round of the book', () => {
  it('judges every rule for every scope of its level that it covers', () => {
    const bench = new Bench([
      latencyRule(),
      errorRateRule({ each: 'operation', match: { service: 'shop' } }),
      errorRateRule({ name: 'all', each: 'gateway' }),
    ]);
    bench.there = [
      GATEWAY,
      serviceOf('shop'),
      serviceOf('bank'),
      operationOf('shop', 'GET /'),
      operationOf('bank', 'GET /'),
    ];
    bench.words = { shop: 'bad', 'errors/shop GET /': 'bad' };
    expect(bench.round()).toEqual(['fired slow/shop', 'fired errors/shop GET /']);
    expect(bench.states()).toEqual([
      'all/gateway inactive',
      'errors/shop GET / firing',
      'slow/bank inactive',
      'slow/shop firing',
    ]);
  });

  it('judges by the rule as an override has it, and not where an override says so', () => {
    const lenient = latencyRule({ resolveAt: 2_000 });
    const rule = latencyRule({
      overrides: [
        { match: { service: 'bank' }, rule: lenient },
        { match: { service: 'shop' }, rule: undefined },
      ],
    });
    const bench = new Bench([rule]);
    bench.there = [serviceOf('shop'), serviceOf('bank'), serviceOf('post')];
    bench.round();
    expect(bench.judged).toEqual([
      [lenient, serviceOf('bank')],
      [rule, serviceOf('post')],
    ]);
    expect([...bench.book.alerts()].map((alert) => alert.rule)).toEqual([lenient, rule]);
  });

  it('asks for the scopes of each level once, and judges each once, however many rules there are', () => {
    const bench = new Bench([
      latencyRule(),
      errorRateRule(),
      errorRateRule({ name: 'all', each: 'gateway' }),
    ]);
    bench.there = [GATEWAY, serviceOf('shop')];
    bench.round();
    expect(bench.listed).toEqual(['service', 'gateway']);
    bench.round();
    expect(bench.judged).toHaveLength(3);
  });

  it('takes two objects for one scope where they say the same', () => {
    const bench = new Bench([latencyRule({ forMs: MINUTE })]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    expect(bench.round()).toEqual([]);
    expect(bench.round(MINUTE)).toEqual(['fired slow/shop']);
    expect(bench.states()).toEqual(['slow/shop firing']);
  });

  it('changes nothing when it throws, so the next one still tells what happened', () => {
    const bench = new Bench([latencyRule(), errorRateRule()]);
    bench.there = [serviceOf('shop'), serviceOf('bank')];
    bench.words = { 'slow/bank': 'bad' };
    bench.round();
    bench.rules = [errorRateRule({ resolveAt: 0 })];
    bench.words = { 'errors/shop': 'bad', 'errors/bank': 'throw' };
    const before = [...bench.book.alerts()];
    expect(() => bench.round()).toThrow('broken');
    expect([...bench.book.alerts()]).toEqual(before);
    bench.words = { 'errors/shop': 'bad' };
    expect(bench.round()).toEqual(['resolved slow/bank rule_removed', 'fired errors/shop']);
  });
});

describe('the alert of a scope that is gone', () => {
  it('is forgotten where it is inactive or unknown', () => {
    const bench = new Bench([latencyRule()]);
    bench.there = [serviceOf('shop'), serviceOf('bank')];
    bench.words = { bank: 'none' };
    bench.round();
    expect(bench.states()).toEqual(['slow/bank unknown', 'slow/shop inactive']);
    bench.there = [];
    bench.round();
    expect(bench.states()).toEqual([]);
  });

  it('is held while it fires, resolved when the scope is back and healthy, and forgotten later', () => {
    const bench = new Bench([latencyRule()]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    bench.round();
    bench.there = [];
    bench.words = {};
    expect(bench.round(60 * MINUTE)).toEqual([]);
    expect(bench.states()).toEqual(['slow/shop firing']);
    bench.there = [serviceOf('shop')];
    expect(bench.round()).toEqual(['resolved slow/shop recovered']);
    bench.there = [];
    bench.round();
    expect(bench.states()).toEqual(['slow/shop resolved']);
    bench.round(15 * MINUTE);
    bench.round();
    expect(bench.states()).toEqual([]);
  });

  it('is told as not observed after a day, and forgotten', () => {
    const bench = new Bench([latencyRule()]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    bench.round();
    bench.there = [];
    bench.words = {};
    bench.round();
    expect(bench.round(24 * 60 * MINUTE)).toEqual(['resolved slow/shop not_observed']);
    bench.round(15 * MINUTE);
    bench.round();
    expect(bench.states()).toEqual([]);
  });

  it.each([
    ['is told as one whose rule was removed, once', 'bad', 0, ['resolved slow/shop rule_removed']],
    ['is forgotten without a word where it is pending', 'bad', MINUTE, []],
    ['is forgotten without a word where it is healthy', 'good', 0, []],
  ])('that is not watched any more %s', (_, word, forMs, told) => {
    const bench = new Bench([latencyRule({ forMs })]);
    bench.there = [serviceOf('shop'), serviceOf('bank')];
    bench.words = { shop: word };
    bench.round();
    bench.there = [serviceOf('bank')];
    bench.unwatched = ['shop'];
    expect(bench.round()).toEqual(told);
    expect(bench.judged.map(([, scope]) => nameOf(scope))).toEqual(['bank']);
    expect(bench.states()).toEqual(['slow/bank inactive']);
    expect(bench.round()).toEqual([]);
  });

  it('that is not watched any more ends after a restart too', () => {
    const bench = new Bench([latencyRule()]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    bench.round();
    bench.restart();
    bench.there = [];
    bench.unwatched = ['shop'];
    expect(bench.round()).toEqual(['resolved slow/shop rule_removed']);
  });

  it('stops waiting where it is pending', () => {
    const bench = new Bench([latencyRule({ forMs: MINUTE })]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    bench.round();
    bench.there = [];
    bench.words = {};
    bench.round();
    expect(bench.states()).toEqual(['slow/shop unknown']);
    bench.round();
    expect(bench.states()).toEqual([]);
  });

  it('is remembered for an hour after it fired, so that one that comes and goes is seen to flap', () => {
    const bench = new Bench([latencyRule()]);
    const told: string[] = [];
    for (let time = 0; time < 3; time += 1) {
      bench.there = [serviceOf('shop')];
      bench.words = { shop: 'bad' };
      told.push(...bench.round(MINUTE));
      bench.words = { shop: 'good' };
      told.push(...bench.round());
      bench.there = [];
      bench.words = {};
      told.push(...bench.round(16 * MINUTE), ...bench.round());
    }
    expect(told.slice(-2)).toEqual(['fired slow/shop', 'flapped slow/shop']);
  });
});

describe('an alert at a reload', () => {
  const firing = (): Bench => {
    const bench = new Bench([latencyRule(), errorRateRule()]);
    bench.there = [serviceOf('shop'), serviceOf('bank'), operationOf('shop', 'GET /')];
    bench.words = { 'slow/shop': 'bad' };
    expect(bench.round()).toEqual(['fired slow/shop']);
    return bench;
  };

  it.each<[string, Rule[]]>([
    ['is gone', []],
    ['measures something else', [errorRateRule({ name: 'slow', forMs: MINUTE })]],
    ['is for another level', [latencyRule({ each: 'gateway' })]],
    ['no longer covers the scope', [latencyRule({ match: { service: 'bank' } })]],
    [
      'is not for the scope any more',
      [latencyRule({ overrides: [{ match: { service: 'shop' }, rule: undefined }] })],
    ],
  ])('ends where its rule %s, which is told once', (_, rules) => {
    const bench = firing();
    bench.rules = [...rules, errorRateRule()];
    expect(bench.round()).toEqual(['resolved slow/shop rule_removed']);
    expect(bench.round()).toEqual([]);
    expect(bench.states().filter((line) => line.endsWith(' firing'))).toEqual([]);
  });

  it('is forgotten without a word where it does not fire', () => {
    const bench = firing();
    bench.words = {};
    bench.round();
    bench.rules = [errorRateRule()];
    expect(bench.round()).toEqual([]);
    expect(bench.states()).toEqual(['errors/bank inactive', 'errors/shop inactive']);
  });

  it('goes on where the numbers of its rule changed', () => {
    const bench = firing();
    const changed = latencyRule({ resolveAt: 100, keepFiringForMs: MINUTE });
    bench.rules = [changed, errorRateRule()];
    expect(bench.round()).toEqual([]);
    expect(bench.judged.map(([rule]) => rule)).toContain(changed);
    bench.words = {};
    expect(bench.round()).toEqual([]);
    expect(bench.round(MINUTE)).toEqual(['resolved slow/shop recovered']);
  });

  it('begins anew where its rule measures something else, without how long the old one was breached', () => {
    const bench = new Bench([latencyRule({ forMs: MINUTE })]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    bench.round();
    bench.rules = [errorRateRule({ name: 'slow', forMs: MINUTE })];
    expect(bench.round(MINUTE)).toEqual([]);
    expect(bench.states()).toEqual(['slow/shop pending']);
    expect(bench.round(MINUTE)).toEqual(['fired slow/shop']);
  });

  it('is judged by the new rule in the same round', () => {
    const bench = firing();
    bench.rules = [errorRateRule({ name: 'slow' })];
    expect(bench.round()).toEqual(['resolved slow/shop rule_removed', 'fired slow/shop']);
    expect([...bench.book.alerts()].find(({ state }) => state === 'firing')?.rule.kind).toBe('error_rate');
  });
});

describe('what somebody says of an alert', () => {
  const idOf = (ruleName: string, name: string): string => alertId(alertKey(ruleName, serviceOf(name)));

  it('is kept in later rounds', () => {
    const bench = new Bench([latencyRule()]);
    bench.there = [serviceOf('shop'), serviceOf('bank')];
    bench.words = { shop: 'bad' };
    bench.round();
    const id = idOf('slow', 'shop');
    expect(bench.book.find(id)?.state).toBe('firing');
    const answer = bench.book.acknowledge(id, 'ann', 'on it', bench.nowMs);
    expect(answer).toMatchObject({ outcome: 'acknowledged', change: { kind: 'acknowledged' } });
    expect(bench.round()).toEqual([]);
    expect(bench.book.find(id)).toMatchObject({ state: 'acknowledged', acknowledgement: { by: 'ann' } });
    expect(bench.book.acknowledge(id, 'ann', '', bench.nowMs).outcome).toBe('already_acknowledged');
    bench.words = {};
    expect(bench.round()).toEqual(['resolved slow/shop recovered']);
  });

  it('changes nothing where the alert does not fire, or there is none', () => {
    const bench = new Bench([latencyRule()]);
    bench.there = [serviceOf('shop')];
    bench.round();
    expect(bench.book.acknowledge(idOf('slow', 'shop'), 'ann', '', bench.nowMs).outcome).toBe('not_firing');
    expect(bench.book.acknowledge(idOf('slow', 'bank'), 'ann', '', bench.nowMs)).toEqual({
      outcome: 'not_found',
    });
    expect(bench.book.find(idOf('slow', 'bank'))).toBeUndefined();
    expect(bench.states()).toEqual(['slow/shop inactive']);
  });
});

describe('a book after a restart', () => {
  it('goes on with what fires, and does not tell it again', () => {
    const bench = new Bench([latencyRule()]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    bench.round();
    bench.restart();
    expect(bench.states()).toEqual(['slow/shop firing']);
    expect(bench.round()).toEqual([]);
    bench.words = {};
    expect(bench.round()).toEqual(['resolved slow/shop recovered']);
  });

  it('goes on waiting, from when the breach began', () => {
    const bench = new Bench([latencyRule({ forMs: MINUTE })]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    bench.round();
    bench.restart();
    expect(bench.round(MINUTE)).toEqual(['fired slow/shop']);
  });

  it.each<[string, Rule[]]>([
    ['is gone', []],
    ['measures something else now', [errorRateRule({ name: 'slow' })]],
    ['no longer covers the scope', [latencyRule({ match: { service: 'bank' } })]],
  ])('ends what fires by a rule that %s', (_, rules) => {
    const bench = new Bench([latencyRule()]);
    bench.there = [serviceOf('shop')];
    bench.words = { shop: 'bad' };
    bench.round();
    bench.rules = rules;
    bench.restart();
    bench.words = {};
    expect(bench.round()).toEqual(['resolved slow/shop rule_removed']);
  });
});

describe('the book', () => {
  it('tells fired and resolved of each alert in turn, whatever comes and goes', () => {
    const versions: Rule[][] = [
      [latencyRule(), errorRateRule({ forMs: 10_000 }), errorRateRule({ name: 'each', each: 'operation' })],
      [latencyRule({ keepFiringForMs: MINUTE }), errorRateRule({ match: { service: 'shop' } })],
      // Other measures and levels under names that were there before.
      [errorRateRule({ name: 'slow' }), latencyRule({ name: 'each' })],
      [],
    ];
    const scopes = [serviceOf('shop'), serviceOf('bank'), serviceOf(''), operationOf('shop', 'GET /')];
    const step = fc.record({
      passMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: -3_600_000, max: 3_600_000 })),
      there: fc.subarray(scopes),
      words: fc.dictionary(
        fc.constantFrom(...scopes.map(nameOf)),
        fc.constantFrom('bad', 'warn', 'between', 'good', 'none', 'gap', 'throw'),
        { noNullPrototype: true },
      ),
      version: fc.option(fc.nat({ max: versions.length - 1 }), { freq: 6 }),
      event: fc.constantFrom('none', 'none', 'restart', 'acknowledge'),
    });
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const bench = new Bench(versions[0] ?? []);
        const firing = new Set<string>();
        for (const { passMs, there, words, version, event } of steps) {
          bench.there = there;
          bench.words = words;
          if (version !== null) bench.rules = versions[version] ?? [];
          if (event === 'restart') bench.restart();
          for (const line of roundUnlessBroken(bench, passMs)) {
            const [kind = '', ...name] = line
              .replace(/ (recovered|rule_removed|not_observed)$/, '')
              .split(' ');
            seen.add(kind);
            if (firing.has(name.join(' ')) === (kind === 'fired')) throw new Error(`${line} out of turn`);
            if (kind === 'fired') firing.add(name.join(' '));
            if (kind === 'resolved') firing.delete(name.join(' '));
          }
          const active = [...bench.book.alerts()].filter(({ firedMs, resolvedMs }) => firedMs && !resolvedMs);
          expect(active.map(describeAlert).sort()).toEqual([...firing].sort());
          const [first] = active;
          if (event === 'acknowledge' && first)
            bench.book.acknowledge(alertId(alertKey(first.rule.name, first.scope)), 'ann', '', bench.nowMs);
        }
      }),
      { numRuns: 200, seed: 7 },
    );
    expect([...seen]).toEqual(expect.arrayContaining(['fired', 'resolved', 'worsened']));
  });
});

function roundUnlessBroken(bench: Bench, afterMs: number): string[] {
  try {
    return bench.round(afterMs);
  } catch (error) {
    if (error instanceof Error && error.message === 'broken') return [];
    throw error;
  }
}
