import { acknowledge, advanceAlert, endAlert } from '../../../sidecar/alert/advance-alert';
import type { Alert } from '../../../sidecar/alert/alert';
import type { AlertChange } from '../../../sidecar/alert/alert-change';
import type { Rule } from '../../../sidecar/config/rule';
import type { Verdict } from '../../../sidecar/rule/verdict';
import type { Scope } from '../../../sidecar/window/scope';
import { latencyRule } from '../../support/sample-rules';
import { verdictOf } from '../../support/sample-verdicts';

const START = Date.parse('2026-03-01T10:00:00Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SHOP: Scope = { level: 'service', service: 'shop' };

/** A rule with a threshold for each severity, so that every severity may be its verdict. */
function ruleOf(changes: Partial<Pick<Rule, 'forMs' | 'keepFiringForMs'>> = {}): Rule {
  return latencyRule({
    thresholds: [
      { severity: 'info', value: 300 },
      { severity: 'warning', value: 400 },
      { severity: 'error', value: 450 },
      { severity: 'critical', value: 500 },
    ],
    ...changes,
  });
}

interface Played {
  readonly alert: Alert;
  readonly changes: readonly AlertChange[];
}

/** Verdicts that tell a part. */
const PARTLY: Readonly<Record<string, Verdict>> = {
  /** Something is lost, but nothing worse than a warning may be breached. */
  'gap<=warn': { ...verdictOf('gap'), worstPossible: 'warning' },
  'gap<=bad': { ...verdictOf('gap'), worstPossible: 'critical' },
  /** A warning for sure, and more for all that is known. */
  'warn<=bad': { ...verdictOf('warn'), worstPossible: 'critical' },
};

/** Plays rounds such as `0 bad`, minute and verdict; `1 ack` is somebody's word between two rounds. */
function rounds(rule: Rule, script: string): Played[] {
  let alert: Alert | undefined;
  return script.split(', ').map((step) => {
    const [minute = '', word = ''] = step.split(' ');
    const nowMs = START + Number(minute) * MINUTE;
    if (word === 'ack') {
      if (!alert) throw new Error('nothing to acknowledge');
      const answer = acknowledge(alert, 'ann', '', nowMs);
      alert = answer.alert;
      return { alert, changes: answer.outcome === 'acknowledged' ? [answer.change] : [] };
    }
    const advance = advanceAlert(alert, rule, SHOP, PARTLY[word] ?? verdictOf(word), nowMs);
    alert = advance.alert;
    return advance;
  });
}

/** The state after each round and, after slashes, what changed. */
function play(rule: Rule, script: string): string {
  return rounds(rule, script)
    .map(({ alert, changes }) => [alert.state, ...changes.map(({ kind }) => kind)].join('/'))
    .join(', ');
}

function last<Item>(items: readonly Item[]): Item {
  const item = items.at(-1);
  if (item === undefined) throw new Error('there is none');
  return item;
}

describe('an alert', () => {
  it.each([
    ['stays inactive while healthy', '0 good, 1 good', 'inactive, inactive'],
    ['stays inactive on a value between two thresholds', '0 between, 1 between', 'inactive, inactive'],
    [
      'is unknown while the rule cannot tell',
      '0 none, 1 few, 2 gap, 3 good',
      'unknown, unknown, unknown, inactive',
    ],
    ['fires at once where `for` is 0', '0 bad, 1 bad', 'firing/fired, firing'],
    ['resolves at the first healthy round', '0 bad, 1 good', 'firing/fired, resolved/resolved'],
    [
      'holds on a value between two thresholds, and resolves at a healthy one',
      '0 bad, 1 between, 60 between, 61 good',
      'firing/fired, firing, firing, resolved/resolved',
    ],
    [
      'holds while the rule cannot tell, and resolves at a healthy round',
      '0 bad, 1 none, 60 few, 61 gap, 62 good',
      'firing/fired, firing, firing, firing, resolved/resolved',
    ],
    [
      'is resolved for 15 minutes and then inactive',
      '0 bad, 1 good, 15.99 good, 16 good',
      'firing/fired, resolved/resolved, resolved, inactive',
    ],
    [
      'is resolved for 15 minutes and then unknown where the rule cannot tell',
      '0 bad, 1 good, 15 none, 16 none',
      'firing/fired, resolved/resolved, resolved, unknown',
    ],
    [
      'fires again from resolved, and from unknown',
      '0 bad, 1 good, 2 bad, 63 good, 90 none, 91 bad',
      'firing/fired, resolved/resolved, firing/fired, resolved/resolved, unknown, firing/fired',
    ],
  ])('%s', (_, script, states) => {
    expect(play(ruleOf(), script)).toBe(states);
  });

  it.each([
    ['waits until the breach has lasted', '0 bad, 1 bad, 2 bad', 'pending, pending, firing/fired'],
    ['does not fire just before that', '0 bad, 1.9999 bad', 'pending, pending'],
    [
      'begins to wait anew after one healthy round',
      '0 bad, 1 good, 2 bad, 3 bad, 4 bad',
      'pending, inactive, pending, pending, firing/fired',
    ],
    [
      'begins to wait anew after a value between two thresholds',
      '0 bad, 1 between, 2 bad, 4 bad',
      'pending, inactive, pending, firing/fired',
    ],
    [
      'begins to wait anew after a round that could not tell',
      '0 bad, 1 gap, 2 bad, 4 bad',
      'pending, unknown, pending, firing/fired',
    ],
    [
      'waits from resolved, and is inactive where it waited in vain',
      '0 bad, 2 bad, 3 good, 4 bad, 5 good',
      'pending, firing/fired, resolved/resolved, pending, inactive',
    ],
    [
      'waits anew when the clock is set back',
      '0 bad, -60 bad, -59 bad, -58 bad',
      'pending, pending, pending, firing/fired',
    ],
    [
      'resolves when the clock is set back',
      '0 bad, 2 bad, -60 bad, -59 good',
      'pending, firing/fired, firing, resolved/resolved',
    ],
  ])('with a `for` of 2 minutes %s', (_, script, states) => {
    expect(play(ruleOf({ forMs: 2 * MINUTE }), script)).toBe(states);
  });

  it.each([
    [
      'resolves once it has been healthy for so long',
      '0 bad, 10 good, 14.99 good, 15 good',
      'firing/fired, firing, firing, resolved/resolved',
    ],
    [
      'begins to count anew after a breach, which does not fire again',
      '0 bad, 10 good, 14 bad, 15 good, 19 good, 20 good',
      'firing/fired, firing, firing, firing, firing, resolved/resolved',
    ],
    [
      'begins to count anew after a value between two thresholds',
      '0 bad, 10 good, 14 between, 15 good, 19 good, 20 good',
      'firing/fired, firing, firing, firing, firing, resolved/resolved',
    ],
    [
      'does not count the time in which the rule could not tell, and goes on after it',
      '0 bad, 10 good, 12 none, 32 few, 40 good, 42.99 good, 43 good',
      'firing/fired, firing, firing, firing, firing, firing, resolved/resolved',
    ],
    [
      'begins to count anew after a gap',
      '0 bad, 10 good, 14 gap, 15 none, 16 good, 20.99 good, 21 good',
      'firing/fired, firing, firing, firing, firing, firing, resolved/resolved',
    ],
    [
      'counts anew when the clock is set back',
      '0 bad, 10 good, -60 good, -56 good, -55 good',
      'firing/fired, firing, firing, firing, resolved/resolved',
    ],
  ])('with a `keep_firing_for` of 5 minutes %s', (_, script, states) => {
    expect(play(ruleOf({ keepFiringForMs: 5 * MINUTE }), script)).toBe(states);
  });

  it('ends as not observed when the rule could not tell for 24 hours, and not a moment earlier', () => {
    const played = rounds(ruleOf(), '0 bad, 1 none, 1440 few, 1441 none');
    expect(played.map(({ alert }) => alert.state)).toEqual(['firing', 'firing', 'firing', 'resolved']);
    expect(last(played).changes).toMatchObject([{ kind: 'resolved', endReason: 'not_observed' }]);
    expect(play(ruleOf(), '0 bad, 1 none, 1440.99 gap')).toBe('firing/fired, firing, firing');
  });

  it('counts the 24 hours from when it last could tell', () => {
    expect(play(ruleOf(), '0 bad, 1 none, 1000 between, 1001 none, 2440 none, 2441 none')).toBe(
      'firing/fired, firing, firing, firing, firing, resolved/resolved',
    );
  });

  it('says since when it is breached and since when it fires, until it is no longer shown as resolved', () => {
    const played = rounds(ruleOf({ forMs: 2 * MINUTE }), '0 bad, 2 bad, 5 good, 20 good').map(
      ({ alert }) => alert,
    );
    expect(played).toMatchObject([
      { state: 'pending', sinceMs: START, firedMs: undefined },
      { state: 'firing', sinceMs: START, firedMs: START + 2 * MINUTE },
      { state: 'resolved', sinceMs: START, firedMs: START + 2 * MINUTE, resolvedMs: START + 5 * MINUTE },
      { state: 'inactive', sinceMs: undefined, firedMs: undefined, resolvedMs: undefined },
    ]);
  });

  it('says since when the rule cannot tell', () => {
    const played = rounds(ruleOf(), '0 good, 1 none, 2 few, 3 good').map(({ alert }) => alert.unknownSinceMs);
    expect(played).toEqual([undefined, START + MINUTE, START + MINUTE, undefined]);
  });

  it('tells of a change with the alert as it is after it, and why it ended', () => {
    const [fired, , resolved] = rounds(ruleOf(), '0 bad, 1 bad, 2 good');
    expect(fired?.changes).toEqual([
      { kind: 'fired', alert: fired?.alert, atMs: START, endReason: undefined },
    ]);
    expect(resolved?.changes).toEqual([
      { kind: 'resolved', alert: resolved?.alert, atMs: START + 2 * MINUTE, endReason: 'recovered' },
    ]);
  });

  it('never lasts a negative time when the clock is set back', () => {
    const fired = last(rounds(ruleOf(), '0 bad')).alert;
    const back = START - MINUTE;
    const { changes } = advanceAlert(fired, ruleOf(), SHOP, verdictOf('good'), back);
    const times = { sinceMs: back, firedMs: back, resolvedMs: back, firings: [back] };
    expect(changes).toMatchObject([{ kind: 'resolved', atMs: back, alert: times }]);
    expect(endAlert(fired, 'rule_removed', back).alert).toMatchObject(times);
  });

  it('goes on under the new rule when a reload changed it', () => {
    const fired = last(rounds(ruleOf(), '0 bad')).alert;
    const milder = latencyRule({
      thresholds: [{ severity: 'warning', value: 400 }],
      keepFiringForMs: MINUTE,
    });
    const next = advanceAlert(fired, milder, SHOP, verdictOf('warn'), START + MINUTE);
    expect(next.changes).toEqual([]);
    expect(next.alert).toMatchObject({ state: 'firing', sinceMs: START, severity: 'critical', rule: milder });
    const calm = advanceAlert(next.alert, milder, SHOP, verdictOf('good'), START + 2 * MINUTE);
    expect(calm.alert.state).toBe('firing');
  });
});

describe('the severity of an alert', () => {
  /** The severity after each round, with the word of what changed. */
  function severities(forMs: number, script: string): string {
    return rounds(ruleOf({ forMs }), script)
      .map(({ alert, changes }) => [alert.severity, ...changes.map(({ kind }) => kind)].join('/'))
      .join(', ');
  }

  it.each([
    ['is the mildest of the rule while nothing is breached', 0, '0 good, 1 none', 'info, info'],
    ['is what is breached when it fires at once', 0, '0 warn', 'warning/fired'],
    ['rises with what is breached, which is told', 0, '0 warn, 1 bad', 'warning/fired, critical/worsened'],
    [
      'rises by more than one step once',
      0,
      '0 info, 1 err, 2 bad',
      'info/fired, error/worsened, critical/worsened',
    ],
    [
      'does not ease at once',
      0,
      '0 bad, 1 warn, 2 between, 3 none',
      'critical/fired, critical, critical, critical',
    ],
    [
      'eases silently to what is breached once it has been milder for 15 minutes, and not a moment earlier',
      0,
      '0 bad, 1 warn, 15.99 info, 16 warn',
      'critical/fired, critical, critical, warning',
    ],
    [
      'rises again from what it eased to, which is told',
      0,
      '0 bad, 1 warn, 16 warn, 17 bad',
      'critical/fired, critical, warning, critical/worsened',
    ],
    [
      'eases step by step, each after a calm of its own',
      0,
      '0 bad, 1 err, 16 err, 17 info, 31 info, 32 info',
      'critical/fired, critical, error, error, error, info',
    ],
    [
      'begins its calm anew at a breach as bad as it, though that is too short for `for`',
      2,
      '0 bad, 2 bad, 3 warn, 10 bad, 11 warn, 25 warn, 26 warn',
      'critical, critical/fired, critical, critical, critical, critical, warning',
    ],
    [
      'does not ease where nothing is breached, but that time counts',
      0,
      '0 bad, 1 between, 30 between, 31 warn',
      'critical/fired, critical, critical, warning',
    ],
    [
      'does not count the time in which the rule could not tell, and goes on after it',
      0,
      '0 bad, 1 warn, 6 none, 66 few, 70 warn, 79.99 warn, 80 warn',
      'critical/fired, critical, critical, critical, critical, critical, warning',
    ],
    [
      'begins its calm anew after a gap',
      0,
      '0 bad, 1 warn, 14 gap, 15 warn, 29.99 warn, 30 warn',
      'critical/fired, critical, critical, critical, critical, warning',
    ],
    [
      'eases in a gap in which nothing as bad as it may be breached',
      0,
      '0 bad, 1 gap<=warn, 15.99 gap<=warn, 16 gap<=warn',
      'critical/fired, critical, critical, warning',
    ],
    [
      'counts the time before and after such a gap, but not that of one of which nothing is known',
      0,
      '0 bad, 1 warn, 5 gap<=warn, 10 warn, 11 none, 21 gap<=warn, 25 gap<=warn, 26 gap<=warn',
      'critical/fired, critical, critical, critical, critical, critical, critical, warning',
    ],
    [
      'does not ease in a gap in which it may be as bad',
      0,
      '0 bad, 1 gap<=bad, 60 gap<=bad',
      'critical/fired, critical, critical',
    ],
    [
      'does not ease to a milder breach while it may be as bad',
      0,
      '0 bad, 1 warn<=bad, 60 warn<=bad, 61 warn, 75.99 warn, 76 warn',
      'critical/fired, critical, critical, critical, critical, warning',
    ],
    [
      'begins its calm anew when the clock is set back',
      0,
      '0 bad, 1 warn, -60 warn, -45.01 warn, -45 warn',
      'critical/fired, critical, critical, critical, warning',
    ],
    [
      'eases only after `for` where that is longer than the calm',
      20,
      '0 bad, 20 bad, 21 warn, 40.99 warn, 41 warn',
      'critical, critical/fired, critical, critical, warning',
    ],
    [
      'stays what it was when it is resolved',
      0,
      '0 bad, 1 warn, 2 good',
      'critical/fired, critical, critical/resolved',
    ],
    [
      'begins anew when it fires again',
      0,
      '0 bad, 1 good, 2 warn',
      'critical/fired, critical/resolved, warning/fired',
    ],
    ['is that of the breach while it is pending', 2, '0 warn, 1 bad, 1.5 warn', 'warning, critical, warning'],
    [
      'is the worst that has lasted `for` when it fires',
      2,
      '0 warn, 1 bad, 2 bad, 2.99 bad, 3 bad',
      'warning, critical, warning/fired, warning, critical/worsened',
    ],
    [
      'counts a worse breach for the milder ones too',
      2,
      '0 bad, 1 warn, 2 warn, 3 warn',
      'critical, warning, warning/fired, warning',
    ],
    [
      'does not rise by a worse breach that pauses',
      2,
      '0 warn, 2 warn, 3 bad, 4 warn, 5 bad, 6.9 bad, 7 bad',
      'warning, warning/fired, warning, warning, warning, warning, critical/worsened',
    ],
    [
      'does not rise by a worse breach with a round between that could not tell',
      2,
      '0 warn, 2 warn, 3 bad, 4 gap, 5 bad, 6.9 bad, 7 bad',
      'warning, warning/fired, warning, warning, warning, warning, critical/worsened',
    ],
  ])('%s', (_, forMinutes, script, expected) => {
    expect(severities(forMinutes * MINUTE, script)).toBe(expected);
  });

  it('eases only after `keep_firing_for` where that is longer than the calm', () => {
    const played = rounds(ruleOf({ keepFiringForMs: 20 * MINUTE }), '0 bad, 1 good, 20.99 warn, 21 warn');
    expect(played.map(({ alert }) => alert.severity)).toEqual([
      'critical',
      'critical',
      'critical',
      'warning',
    ]);
  });

  it('says since when it is milder, until it is breached as badly, has eased or is over', () => {
    const script = '0 bad, 1 warn, 2 bad, 3 warn, 18 warn, 19 info, 20 good';
    const played = rounds(ruleOf({ keepFiringForMs: MINUTE }), `${script}, 21 good`);
    const minutes = played.map(({ alert: { milderSinceMs } }) =>
      milderSinceMs === undefined ? undefined : (milderSinceMs - START) / MINUTE,
    );
    expect(minutes).toEqual([undefined, 1, undefined, 3, undefined, 19, 19, undefined]);
  });

  it('is breached since the first breach of it or of a worse one', () => {
    const played = rounds(ruleOf({ forMs: 60 * MINUTE }), '0 warn, 1 bad, 2 err, 3 good').map(
      ({ alert }) => alert.breachedSinceMs,
    );
    expect(played).toEqual([
      { info: START, warning: START },
      { info: START, warning: START, error: START + MINUTE, critical: START + MINUTE },
      { info: START, warning: START, error: START + MINUTE },
      {},
    ]);
  });
});

describe('the severity of a quiet alert', () => {
  it('is the mildest of the rule as a reload changed it', () => {
    const quiet = last(rounds(ruleOf(), '0 good')).alert;
    const critical = latencyRule({ thresholds: [{ severity: 'critical', value: 500 }] });
    const { alert } = advanceAlert(quiet, critical, SHOP, verdictOf('good'), START + MINUTE);
    expect([quiet.severity, alert.severity]).toEqual(['info', 'critical']);
  });
});

describe('an alert that flaps', () => {
  const TWICE = '0 bad, 1 good, 2 bad, 3 good';

  it('is told to flap when it fires for the third time in an hour', () => {
    expect(play(ruleOf(), `${TWICE}, 59.9 bad`)).toMatch(/, firing\/fired\/flapped$/);
    expect(play(ruleOf(), `${TWICE}, 60 bad`)).toMatch(/, firing\/fired$/);
    expect(last(rounds(ruleOf(), `${TWICE}, 59.9 bad`)).alert).toMatchObject({
      isFlapping: true,
      firings: [START, START + 2 * MINUTE, START + 59.9 * MINUTE],
    });
  });

  it('is resolved after 15 minutes of health, and does not flap any more then', () => {
    const played = rounds(ruleOf(), `${TWICE}, 4 bad, 5 good, 10 bad, 11 good, 25.99 good, 26 good`);
    expect(played.slice(4).map(({ alert }) => [alert.state, alert.isFlapping])).toEqual([
      ['firing', true],
      ['firing', true],
      ['firing', true],
      ['firing', true],
      ['firing', true],
      ['resolved', false],
    ]);
  });

  it('is resolved after `keep_firing_for` where that is longer', () => {
    const rule = ruleOf({ keepFiringForMs: 20 * MINUTE });
    const script = '0 bad, 1 good, 21 good, 22 bad, 23 good, 43 good, 44 bad, 45 good, 64 good, 65 good';
    expect(play(rule, script)).toMatch(/firing\/fired\/flapped, firing, firing, resolved\/resolved$/);
  });

  it('flaps at once when it fires again in the same hour', () => {
    expect(play(ruleOf(), `${TWICE}, 4 bad, 5 good, 20 good, 30 bad`)).toMatch(
      /firing\/fired\/flapped, firing, resolved\/resolved, firing\/fired\/flapped$/,
    );
  });

  it('forgets firings that are over an hour old', () => {
    const played = rounds(ruleOf(), `${TWICE}, 59 good, 60 good, 62 good`);
    expect(played.slice(3).map(({ alert }) => alert.firings.length)).toEqual([2, 2, 1, 0]);
  });

  it('ends as not observed like any other', () => {
    const played = rounds(ruleOf(), `${TWICE}, 4 bad, 5 none, 1445 none`);
    expect(last(played).changes).toMatchObject([
      { endReason: 'not_observed', alert: { state: 'resolved', isFlapping: false } },
    ]);
  });
});

describe('an acknowledgement', () => {
  const firing = (): Alert => last(rounds(ruleOf(), '0 warn')).alert;

  it.each([
    [
      'holds while the alert fires',
      '0 warn, 1 ack, 2 warn, 3 between, 4 none',
      'firing/fired, acknowledged/acknowledged, acknowledged, acknowledged, acknowledged',
    ],
    [
      'ends with the alert',
      '0 warn, 1 ack, 2 good',
      'firing/fired, acknowledged/acknowledged, resolved/resolved',
    ],
    [
      'ends when the alert gets worse',
      '0 warn, 1 ack, 2 bad',
      'firing/fired, acknowledged/acknowledged, firing/worsened',
    ],
    [
      'holds when the alert gets milder',
      '0 bad, 1 ack, 2 warn',
      'firing/fired, acknowledged/acknowledged, acknowledged',
    ],
    [
      'holds when the severity has eased, and ends when it rises again',
      '0 bad, 1 ack, 2 warn, 17 warn, 18 warn, 19 bad',
      'firing/fired, acknowledged/acknowledged, acknowledged, acknowledged, acknowledged, firing/worsened',
    ],
    [
      'does not hold for the next time',
      '0 warn, 1 ack, 2 good, 3 warn',
      'firing/fired, acknowledged/acknowledged, resolved/resolved, firing/fired',
    ],
    [
      'says nothing of an alert that does not fire',
      '0 good, 1 ack, 2 none, 3 ack',
      'inactive, inactive, unknown, unknown',
    ],
    [
      'says nothing of one that is resolved',
      '0 warn, 1 good, 2 ack',
      'firing/fired, resolved/resolved, resolved',
    ],
  ])('%s', (_, script, states) => {
    expect(play(ruleOf(), script)).toBe(states);
  });

  it('says nothing of an alert that is pending', () => {
    expect(play(ruleOf({ forMs: MINUTE }), '0 warn, 0.5 ack, 1 warn')).toBe('pending, pending, firing/fired');
  });

  it('keeps who, why and when', () => {
    const answer = acknowledge(firing(), 'ann', 'on it', START + MINUTE);
    const acknowledgement = { by: 'ann', comment: 'on it', atMs: START + MINUTE };
    expect(answer).toMatchObject({
      outcome: 'acknowledged',
      alert: { state: 'acknowledged', acknowledgement },
      change: {
        kind: 'acknowledged',
        alert: { acknowledgement },
        atMs: START + MINUTE,
        endReason: undefined,
      },
    });
    const later = advanceAlert(answer.alert, ruleOf(), SHOP, verdictOf('warn'), START + 2 * MINUTE);
    expect(later.alert.acknowledgement).toEqual(acknowledgement);
    const end = advanceAlert(later.alert, ruleOf(), SHOP, verdictOf('good'), START + 3 * MINUTE);
    expect(end.alert).toMatchObject({ state: 'resolved', acknowledgement });
    expect(end.changes).toMatchObject([{ kind: 'resolved', alert: { acknowledgement } }]);
  });

  it.each([
    ['it is no longer shown', '17 good', 'inactive'],
    ['it fires again', '3 bad', 'firing'],
  ])('is shown with what is resolved until %s', (_, next, state) => {
    const played = rounds(ruleOf(), `0 warn, 1 ack, 2 good, 2.5 good, ${next}`).slice(2);
    expect(played.map(({ alert }) => [alert.state, alert.acknowledgement?.by])).toEqual([
      ['resolved', 'ann'],
      ['resolved', 'ann'],
      [state, undefined],
    ]);
  });

  it('is not shown with a new run that has not fired yet', () => {
    const played = rounds(ruleOf({ forMs: MINUTE }), '0 warn, 1 warn, 1 ack, 2 good, 3 bad');
    expect(last(played).alert).toMatchObject({ state: 'pending', acknowledgement: undefined });
  });

  it.each([
    ['the same person says the same', 'ann', 'on it', 'already_acknowledged', 'ann: on it'],
    ['the same person says nothing', 'ann', '', 'already_acknowledged', 'ann: on it'],
    ['the same person says something else', 'ann', 'a disk', 'acknowledged', 'ann: a disk'],
    ['somebody else takes over', 'bob', '', 'acknowledged', 'bob: '],
  ])('given again: %s', (_, by, comment, outcome, known) => {
    const first = acknowledge(firing(), 'ann', 'on it', START + MINUTE);
    const second = acknowledge(first.alert, by, comment, START + 2 * MINUTE);
    const { acknowledgement } = second.alert;
    expect([second.outcome, `${acknowledgement?.by}: ${acknowledgement?.comment}`]).toEqual([outcome, known]);
    expect(acknowledgement?.atMs).toBe(START + (outcome === 'acknowledged' ? 2 : 1) * MINUTE);
  });
});

describe('an alert whose rule is gone', () => {
  it.each([
    ['resolves where it fires', '0 bad', 'resolved', ['resolved']],
    ['resolves where it is acknowledged', '0 bad, 1 ack', 'resolved', ['resolved']],
    ['is told of no one where it is resolved', '0 bad, 1 good', 'inactive', []],
    ['is told of no one where it is inactive', '0 good', 'inactive', []],
    ['is told of no one where it is unknown', '0 none', 'inactive', []],
  ])('%s', (_, script, state, told) => {
    const { alert, changes } = endAlert(
      last(rounds(ruleOf(), script)).alert,
      'rule_removed',
      START + 5 * MINUTE,
    );
    expect([alert.state, changes.map(({ kind }) => kind)]).toEqual([state, told]);
    expect(alert.breachedSinceMs).toEqual({});
    expect(alert.acknowledgement?.by).toBe(script.includes('ack') ? 'ann' : undefined);
    for (const change of changes)
      expect(change).toMatchObject({ endReason: 'rule_removed', alert, atMs: START + 5 * MINUTE });
  });

  it('is told of no one where it is pending, and leaves nothing of its run', () => {
    const pending = last(rounds(ruleOf({ forMs: MINUTE }), '0 bad')).alert;
    const { alert, changes } = endAlert(pending, 'rule_removed', START + SECOND);
    expect(changes).toEqual([]);
    expect([alert.state, alert.sinceMs, alert.breachedSinceMs]).toEqual(['inactive', undefined, {}]);
  });
});
