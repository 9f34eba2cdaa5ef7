// The life of an alert against what must hold of every life, and against a model that looks at the whole history anew in place of
// advancing a state.
import fc from 'fast-check';
import { SEVERITIES, type Severity } from '../../../kong-plugin/contract/severity';
import { acknowledge, advanceAlert, endAlert } from '../../../sidecar/alert/advance-alert';
import { isActive, type Alert } from '../../../sidecar/alert/alert';
import type { AlertChange } from '../../../sidecar/alert/alert-change';
import { decodeAlert, encodeAlerts } from '../../../sidecar/alert/alert-memory';
import type { Rule } from '../../../sidecar/config/rule';
import type { Scope } from '../../../sidecar/window/scope';
import { latencyRule } from '../../support/sample-rules';
import { VERDICTS, verdictOf, type VerdictWord } from '../../support/sample-verdicts';

const START = Date.parse('2026-03-01T10:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SHOP: Scope = { level: 'service', service: 'shop' };
const WORDS = Object.keys(VERDICTS) as VerdictWord[];

interface Step {
  /** From the round before. */
  readonly stepMs: number;
  readonly word: VerdictWord;
  /** Somebody says after the round that they know. */
  readonly isAcknowledged: boolean;
}

const passing = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 * MINUTE }) },
  { weight: 2, arbitrary: fc.constantFrom(0, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE) },
  { weight: 1, arbitrary: fc.oneof(fc.integer({ min: 0, max: 9 * HOUR }), fc.constant(24 * HOUR)) },
);
const jumping = fc.oneof(
  { weight: 4, arbitrary: passing },
  { weight: 1, arbitrary: fc.integer({ min: -2 * HOUR, max: 0 }) },
);

/** Words that come in rows, as they do; and none of them so rare that a run never ends. */
const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<VerdictWord>('bad', 'good') },
  { weight: 2, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 1, arbitrary: fc.constantFrom<VerdictWord>('none', 'gap') },
);
const isAcknowledged = fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0);

function stepsOf(stepMs: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  return fc.array(fc.record({ stepMs, word, isAcknowledged }), { maxLength: 60, size: 'max' });
}

const rule = fc
  .record({
    forMs: fc.constantFrom(0, MINUTE, 5 * MINUTE),
    keepFiringForMs: fc.constantFrom(0, 0, 2 * MINUTE, 20 * MINUTE),
  })
  .map((times) =>
    latencyRule({
      thresholds: SEVERITIES.map((severity, index) => ({ severity, value: 300 + index })),
      ...times,
    }),
  );

/** One round, and the word of somebody after it. */
interface Moment {
  readonly nowMs: number;
  readonly word: VerdictWord;
  readonly alert: Alert;
  readonly changes: readonly AlertChange[];
}

/** @param between what becomes of the alert between two rounds */
function live(
  rule: Rule,
  steps: readonly Step[],
  between: (alert: Alert, index: number) => Alert | undefined = (alert) => alert,
): Moment[] {
  let known: Alert | undefined;
  let nowMs = START;
  return steps.map(({ stepMs, word, isAcknowledged }, index) => {
    nowMs += stepMs;
    let { alert, changes } = advanceAlert(known, rule, SHOP, verdictOf(word), nowMs);
    if (isAcknowledged) {
      const answer = acknowledge(alert, 'ann', '', nowMs);
      alert = answer.alert;
      if (answer.outcome === 'acknowledged') changes = [...changes, answer.change];
    }
    known = between(alert, index);
    return { nowMs, word, alert, changes };
  });
}

function kindsOf(moments: readonly Moment[]): string[] {
  return moments.flatMap(({ changes }) => changes.map(({ kind }) => kind));
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** What must hold of any life, however the clock jumps. @throws Error where it does not */
function expectLawful(rule: Rule, moments: readonly Moment[]): void {
  let isFiring = false;
  let severity: Severity | undefined;
  let before: Alert | undefined;
  for (const [index, { nowMs, word, alert, changes }] of moments.entries()) {
    // Not by `expect`, which takes most of the time where there are so many.
    const law = (sentence: string, holds: boolean): void => {
      if (!holds) throw new Error(`round ${index}, ${word}: ${sentence}`);
    };
    const verdict = verdictOf(word);
    for (const { kind, atMs, endReason, alert: changed } of changes) {
      law('a change is of its round', atMs === nowMs);
      law('an end has a reason, and nothing else has', (endReason !== undefined) === (kind === 'resolved'));
      law('only what does not fire is fired, and only what fires changes', isFiring === (kind !== 'fired'));
      if (kind === 'fired') {
        law('fires only by a breach', verdict.state === 'breached');
        law(
          'fires not before `for`',
          lastedMs(moments.slice(0, index + 1), (other) => isBreachOf(other, 'info')) >= rule.forMs,
        );
      } else if (kind === 'worsened') {
        law('gets worse only upwards', rank(changed.severity) > rank(severity ?? 'critical'));
        law(
          'gets no worse than what is breached',
          rank(changed.severity) <= rank(verdict.severity ?? 'info'),
        );
      } else if (kind === 'resolved') {
        law('ends by its reason', verdict.state === (endReason === 'recovered' ? 'healthy' : 'cannot_tell'));
      }
      isFiring = kind !== 'resolved';
      severity = changed.severity;
    }
    law('fires from fired to resolved', isActive(alert) === isFiring);
    law('what is told is a change of state', changes.length === 0 || stateOf(alert) !== stateOf(before));
    if (isFiring && alert.severity !== severity) {
      law('its severity rises only where that is told', rank(alert.severity) < rank(severity ?? 'info'));
      law('eases to what is breached', alert.severity === verdict.severity);
      law(
        'eases only after the calm',
        lastedMs(moments.slice(0, index + 1), (other) => !isBreachOf(other, severity ?? 'info')) >=
          Math.max(15 * MINUTE, rule.forMs, rule.keepFiringForMs),
      );
      law(
        'an acknowledgement stays',
        alert.acknowledgement?.by === before?.acknowledgement?.by || isKnownNow(changes),
      );
      severity = alert.severity;
    }
    law(
      'is acknowledged by somebody',
      alert.state === 'resolved' ||
        (alert.state === 'acknowledged') === (alert.acknowledgement !== undefined),
    );
    law(
      'nothing is in the future',
      timesOf(alert).every((ms) => ms <= nowMs),
    );
    before = alert;
  }
}

function stateOf(alert: Alert | undefined): string {
  return `${alert?.state} ${alert?.severity} ${alert?.acknowledgement?.by}`;
}

function isKnownNow(changes: readonly AlertChange[]): boolean {
  return changes.some(({ kind }) => kind === 'acknowledged');
}

function isBreachOf({ word }: Moment, severity: Severity): boolean {
  const breached = verdictOf(word).severity;
  return breached !== undefined && rank(breached) >= rank(severity);
}

/** How long the rounds have been so that end with the last one, at the most. */
function lastedMs(moments: readonly Moment[], isSo: (moment: Moment) => boolean): number {
  const begin = moments.findLastIndex((moment) => !isSo(moment)) + 1;
  const times = moments.slice(begin).map(({ nowMs }) => nowMs);
  return Math.max(...times) - Math.min(...times);
}

function timesOf(alert: Alert): number[] {
  const { sinceMs, firedMs, healthySinceMs, milderSinceMs, unknownSinceMs, resolvedMs, acknowledgement } =
    alert;
  return [sinceMs, firedMs, healthySinceMs, milderSinceMs, unknownSinceMs, resolvedMs, acknowledgement?.atMs]
    .concat(Object.values(alert.breachedSinceMs), alert.firings)
    .flatMap((ms) => ms ?? []);
}

describe('the life of an alert', () => {
  it('tells only of what has changed: fired and resolved in turn, worse while it fires, and nothing before `for`', () => {
    fc.assert(
      fc.property(rule, stepsOf(passing), (rule, steps) => expectLawful(rule, live(rule, steps))),
      { numRuns: 200, seed: 3 },
    );
  });

  it('does so when the clock is set back', () => {
    fc.assert(
      fc.property(rule, stepsOf(jumping), (rule, steps) => expectLawful(rule, live(rule, steps))),
      { numRuns: 200, seed: 4 },
    );
  });

  it('loses nothing when the clock is set back: a long breach fires once, and a long health resolves it once', () => {
    const stepMs = 5 * MINUTE;
    const row = (word: VerdictWord): Step[] =>
      new Array<Step>(8).fill({ stepMs, word, isAcknowledged: false });
    fc.assert(
      fc.property(rule, stepsOf(jumping), fc.integer({ min: -3 * HOUR, max: 0 }), (rule, steps, backMs) => {
        const back: Step = { stepMs: backMs, word: 'bad', isAcknowledged: false };
        const moments = live(rule, [
          ...steps,
          back,
          ...row('bad'),
          { ...back, word: 'good' },
          ...row('good'),
        ]);
        const wasFiring = kindsOf(moments.slice(0, steps.length)).filter(
          (kind) => kind === 'fired' || kind === 'resolved',
        );
        const tail = kindsOf(moments.slice(steps.length)).filter(
          (kind) => kind === 'fired' || kind === 'resolved',
        );
        expect(tail).toEqual(wasFiring.at(-1) === 'fired' ? ['resolved'] : ['fired', 'resolved']);
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it('goes on after a restart at any point as if there had been none', () => {
    fc.assert(
      fc.property(rule, stepsOf(jumping), fc.infiniteStream(fc.boolean()), (rule, steps, dice) => {
        const restarts = steps.map(() => dice.next().value === true);
        const restarted = live(rule, steps, (alert, index) => {
          if (!restarts[index]) return alert;
          const [stored] = JSON.parse(JSON.stringify(encodeAlerts([alert]))) as unknown[];
          return stored === undefined ? undefined : decodeAlert(stored, [rule]);
        });
        expect(restarted.map(told)).toEqual(live(rule, steps).map(told));
      }),
      { numRuns: 200, seed: 6 },
    );
  });

  it('ends with its rule at any point, told as resolved exactly where it fires', () => {
    fc.assert(
      fc.property(rule, stepsOf(jumping), (rule, steps) => {
        for (const { alert, nowMs } of live(rule, steps)) {
          const end = endAlert(alert, 'rule_removed', nowMs);
          expect(end.changes.map(({ kind }) => kind)).toEqual(isActive(alert) ? ['resolved'] : []);
          expect(isActive(end.alert)).toBe(false);
        }
      }),
      { numRuns: 100, seed: 7 },
    );
  });

  it('agrees with a model that looks at the whole history', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(rule, stepsOf(passing), (rule, steps) => {
        const moments = live(rule, steps);
        const states = moments.map(({ alert, changes }) => ({
          state: alert.state,
          severity: isActive(alert) || alert.state === 'resolved' ? alert.severity : undefined,
          changes: changes.map(({ kind, endReason }) => (endReason ? `${kind} ${endReason}` : kind)),
        }));
        for (const { state, changes } of states) for (const word of [state, ...changes]) seen.add(word);
        for (const [index, { alert }] of moments.entries()) {
          const next = moments[index + 1]?.alert;
          const isSameRun = isActive(alert) && next !== undefined && alert.sinceMs === next.sinceMs;
          if (isSameRun && rank(next.severity) < rank(alert.severity)) seen.add(`${next.state} eased`);
        }
        expect(states).toEqual(modelOf(rule, steps));
      }),
      { numRuns: 500, seed: 8 },
    );
    // Or the sequences would prove less than they seem to.
    expect([...seen].sort()).toEqual([
      'acknowledged',
      'acknowledged eased',
      'fired',
      'firing',
      'firing eased',
      'flapped',
      'inactive',
      'pending',
      'resolved',
      'resolved not_observed',
      'resolved recovered',
      'unknown',
      'worsened',
    ]);
  });
});

/** What others see of a moment. Since when nothing is known of a quiet alert is not kept over a restart, and decides nothing. */
function told({ alert, changes }: Moment): unknown {
  return { changes, alert: alert.state === 'unknown' ? { ...alert, unknownSinceMs: undefined } : alert };
}

interface ModelMoment {
  state: string;
  severity: Severity | undefined;
  changes: string[];
}

function modelOf(rule: Rule, steps: readonly Step[]): ModelMoment[] {
  let nowMs = START;
  const history = steps.map(({ stepMs, word }) => ({ nowMs: (nowMs += stepMs), ...verdictOf(word) }));
  const at = (index: number): (typeof history)[number] => {
    const round = history[index];
    if (!round) throw new Error('no such round');
    return round;
  };
  /** How long a row of rounds that ends at `index` has lasted that are all so; -1 where the last one is not. */
  const lastedMs = (
    index: number,
    from: number,
    isSo: (round: (typeof history)[number]) => boolean,
  ): number => {
    let begin = index + 1;
    while (begin > from && isSo(at(begin - 1))) begin -= 1;
    return begin > index ? -1 : at(index).nowMs - at(begin).nowMs;
  };
  const worstAt = (index: number, from: number): Severity | undefined =>
    SEVERITIES.findLast(
      (severity) =>
        lastedMs(
          index,
          from,
          (round) => round.severity !== undefined && rank(round.severity) >= rank(severity),
        ) >= rule.forMs,
    );
  /** The time after healthy rounds since the last one that spoke against it. */
  const healthMs = (index: number, from: number): number =>
    calmMs(index, from, ({ state }) => state === 'breached' || state === 'between');
  /** The same for rounds that were not as bad as the severity says. */
  const mildMs = (index: number, from: number, severity: Severity): number =>
    calmMs(index, from, (round) => round.severity !== undefined && rank(round.severity) >= rank(severity));
  const calmMs = (
    index: number,
    from: number,
    speaksAgainst: (round: (typeof history)[number]) => boolean,
  ): number => {
    let sumMs = 0;
    for (let round = index - 1; round >= from; round -= 1) {
      const { state, doubt, nowMs } = at(round);
      if (speaksAgainst(at(round)) || doubt === 'gap') break;
      if (state !== 'cannot_tell') sumMs += at(round + 1).nowMs - nowMs;
    }
    return sumMs;
  };

  const moments: ModelMoment[] = [];
  const firings: number[] = [];
  let from = 0;
  let firing: { index: number; severity: Severity; isFlapping: boolean; isKnown: boolean } | undefined;
  let resolved: { atMs: number; severity: Severity } | undefined;
  for (const [index, { nowMs, state }] of history.entries()) {
    const changes: string[] = [];
    if (!firing) {
      const severity = worstAt(index, from);
      if (state === 'breached') resolved = undefined;
      if (severity !== undefined) {
        firings.push(nowMs);
        const isFlapping = firings.filter((ms) => ms > nowMs - HOUR).length >= 3;
        firing = { index, severity, isFlapping, isKnown: false };
        changes.push(...(isFlapping ? ['fired', 'flapped'] : ['fired']));
      }
    } else {
      const severity = worstAt(index, from);
      if (severity !== undefined && rank(severity) > rank(firing.severity)) {
        firing = { ...firing, severity, isKnown: false };
        changes.push('worsened');
      }
      const breached = at(index).severity;
      const easingMs = Math.max(15 * MINUTE, rule.forMs, rule.keepFiringForMs);
      if (
        breached !== undefined &&
        rank(breached) < rank(firing.severity) &&
        mildMs(index, firing.index, firing.severity) >= easingMs
      )
        firing = { ...firing, severity: breached };
      const leastCalmMs = Math.max(rule.keepFiringForMs, firing.isFlapping ? 15 * MINUTE : 0);
      const isUnseen = lastedMs(index, firing.index, (round) => round.state === 'cannot_tell') >= 24 * HOUR;
      const isCalm = state === 'healthy' && healthMs(index, firing.index) >= leastCalmMs;
      if (isUnseen || isCalm) {
        changes.push(isCalm ? 'resolved recovered' : 'resolved not_observed');
        resolved = { atMs: nowMs, severity: firing.severity };
        firing = undefined;
        from = index + 1;
      }
    }
    if (steps[index]?.isAcknowledged && firing && !firing.isKnown) {
      firing.isKnown = true;
      changes.push('acknowledged');
    }
    if (resolved && nowMs - resolved.atMs >= 15 * MINUTE) resolved = undefined;
    const quiet = { breached: 'pending', cannot_tell: 'unknown', between: 'inactive', healthy: 'inactive' }[
      state
    ];
    const active = firing && (firing.isKnown ? 'acknowledged' : 'firing');
    moments.push({
      state: active ?? (resolved ? 'resolved' : quiet),
      severity: (firing ?? resolved)?.severity,
      changes,
    });
  }
  return moments;
}
