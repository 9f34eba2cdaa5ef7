import fc from 'fast-check';
import { advanceAlert, endAlert } from '../../../sidecar/alert/advance-alert';
import type { Alert } from '../../../sidecar/alert/alert';
import type { AlertChange } from '../../../sidecar/alert/alert-change';
import type { Verdict } from '../../../sidecar/rule/verdict';
import { p95Rule } from '../../support/sample-rules';

const START = Date.parse('2026-03-01T10:00:00Z');
const MINUTE = 60_000;

const VERDICTS: Record<string, Verdict> = {
  bad: { state: 'breached', value: 812, threshold: 500, samples: 100 },
  good: { state: 'healthy', value: 80, threshold: 500, samples: 100 },
  few: { state: 'too_few_requests', value: 812, threshold: 500, samples: 2 },
};

/** Plays rounds such as `0 bad`, minute and verdict, and says after each `state` and, after a slash, what changed. */
function play(forMs: number, rounds: string): string {
  let alert: Alert | undefined;
  return rounds
    .split(', ')
    .map((round) => {
      const [minute = '', word = ''] = round.split(' ');
      const verdict = VERDICTS[word];
      if (!verdict) throw new Error(`no verdict "${word}"`);
      const nowMs = START + Number(minute) * MINUTE;
      const advance = advanceAlert(alert, p95Rule({ forMs }), 'shop', verdict, nowMs);
      alert = advance.alert;
      return advance.change ? `${alert.state}/${advance.change.kind}` : alert.state;
    })
    .join(', ');
}

describe('an alert', () => {
  it.each([
    ['stays inactive while healthy', 0, '0 good, 1 good', 'inactive, inactive'],
    ['fires at once where `for` is 0', 0, '0 bad, 1 bad', 'firing/fired, firing'],
    ['waits until the breach has lasted `for`', 2, '0 bad, 1 bad, 2 bad', 'pending, pending, firing/fired'],
    ['does not fire just before `for` is over', 2, '0 bad, 1.9999 bad', 'pending, pending'],
    [
      'begins to wait anew after one healthy round',
      2,
      '0 bad, 1 good, 2 bad, 3 bad, 4 bad',
      'pending, inactive, pending, pending, firing/fired',
    ],
    ['stops waiting when there are too few requests', 2, '0 bad, 1 few, 2 bad', 'pending, inactive, pending'],
    ['never fires on too few requests', 0, '0 few, 1 few', 'inactive, inactive'],
    ['resolves at the first healthy round', 0, '0 bad, 1 good', 'firing/fired, inactive/resolved'],
    [
      'holds while there are too few requests, and resolves once there are enough',
      0,
      '0 bad, 1 few, 60 few, 61 good',
      'firing/fired, firing, firing, inactive/resolved',
    ],
    [
      'fires again after it resolved',
      0,
      '0 bad, 1 good, 2 bad',
      'firing/fired, inactive/resolved, firing/fired',
    ],
    [
      'waits `for` anew when the clock is set back',
      2,
      '0 bad, -60 bad, -59 bad, -58 bad',
      'pending, pending, pending, firing/fired',
    ],
    [
      'resolves when the clock is set back',
      0,
      '0 bad, -60 bad, -59 good',
      'firing/fired, firing, inactive/resolved',
    ],
  ])('%s', (_, forMinutes, rounds, states) => {
    expect(play(forMinutes * MINUTE, rounds)).toBe(states);
  });

  it('says since when it is breached, not since when it fires', () => {
    const rule = p95Rule({ forMs: 2 * MINUTE });
    const bad = VERDICTS['bad'] as Verdict;
    const pending = advanceAlert(undefined, rule, 'shop', bad, START);
    const { alert, change } = advanceAlert(pending.alert, rule, 'shop', bad, START + 2 * MINUTE);
    expect(alert.sinceMs).toBe(START);
    expect(change).toMatchObject({ kind: 'fired', startedMs: START, atMs: START + 2 * MINUTE, alert });
    const end = advanceAlert(alert, rule, 'shop', VERDICTS['good'] as Verdict, START + 5 * MINUTE);
    expect(end.alert.sinceMs).toBeUndefined();
    expect(end.change).toMatchObject({ kind: 'resolved', startedMs: START, atMs: START + 5 * MINUTE });
  });

  it('never lasts a negative time when the clock is set back', () => {
    const fired = advanceAlert(undefined, p95Rule(), 'shop', VERDICTS['bad'] as Verdict, START);
    const back = START - MINUTE;
    expect(
      advanceAlert(fired.alert, p95Rule(), 'shop', VERDICTS['good'] as Verdict, back).change,
    ).toMatchObject({
      startedMs: back,
      atMs: back,
    });
    expect(endAlert(fired.alert, back)).toMatchObject({ startedMs: back, atMs: back });
  });

  it('goes on under the new rule when a reload changed the threshold', () => {
    const fired = advanceAlert(undefined, p95Rule(), 'shop', VERDICTS['bad'] as Verdict, START);
    const stricter = p95Rule({ p95LatencyMs: 400, severity: 'warning' });
    const next = advanceAlert(fired.alert, stricter, 'shop', VERDICTS['bad'] as Verdict, START + MINUTE);
    expect(next.change).toBeUndefined();
    expect(next.alert).toMatchObject({ state: 'firing', sinceMs: START, rule: stricter });
  });

  it('ends with its rule: told as resolved if it was firing, untold otherwise', () => {
    const fired = advanceAlert(undefined, p95Rule(), 'shop', VERDICTS['bad'] as Verdict, START).alert;
    expect(endAlert(fired, START + MINUTE)).toMatchObject({
      kind: 'resolved',
      ruleRemoved: true,
      startedMs: START,
      alert: { state: 'inactive', verdict: VERDICTS['bad'] },
    });
    const forMs = MINUTE;
    const pending = advanceAlert(
      undefined,
      p95Rule({ forMs }),
      'shop',
      VERDICTS['bad'] as Verdict,
      START,
    ).alert;
    expect([pending.state, endAlert(pending, START + MINUTE)]).toEqual(['pending', undefined]);
  });

  const steps = fc.array(
    fc.record({
      stepMs: fc.integer({ min: -90_000, max: 90_000 }),
      word: fc.constantFrom('bad', 'good', 'few'),
    }),
    { maxLength: 60 },
  );
  const forMs = fc.constantFrom(0, 30_000, 120_000);

  it('tells of fired and resolved in turn, and only when its state changes, however the clock jumps', () => {
    fc.assert(
      fc.property(steps, forMs, (rounds, forMs) => {
        let alert: Alert | undefined;
        let nowMs = START;
        let isFiring = false;
        for (const { stepMs, word } of rounds) {
          nowMs += stepMs;
          const { alert: next, change } = advanceAlert(
            alert,
            p95Rule({ forMs }),
            'shop',
            VERDICTS[word] as Verdict,
            nowMs,
          );
          expect(change?.kind).toBe(
            (next.state === 'firing') === isFiring ? undefined : isFiring ? 'resolved' : 'fired',
          );
          if (change?.kind === 'fired') expect(word).toBe('bad');
          if (change?.kind === 'resolved') expect(word).toBe('good');
          if (next.state === 'inactive') expect(next.sinceMs).toBeUndefined();
          else expect(next.sinceMs).toBeLessThanOrEqual(nowMs);
          isFiring = next.state === 'firing';
          alert = next;
        }
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  it('agrees with a model that looks at the whole history', () => {
    fc.assert(
      fc.property(steps, forMs, (rounds, forMs) => {
        const history: { nowMs: number; word: string }[] = [];
        let alert: Alert | undefined;
        const changes: (AlertChange['kind'] | undefined)[] = [];
        let nowMs = START;
        for (const { stepMs, word } of rounds) {
          nowMs += Math.abs(stepMs);
          history.push({ nowMs, word });
          const advance = advanceAlert(alert, p95Rule({ forMs }), 'shop', VERDICTS[word] as Verdict, nowMs);
          alert = advance.alert;
          changes.push(advance.change?.kind);
        }
        expect(changes).toEqual(modelChanges(history, forMs));
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

/** Fires in the round that ends a run of breached rounds as long as `forMs`; then resolves in the next healthy round. */
function modelChanges(
  history: readonly { nowMs: number; word: string }[],
  forMs: number,
): (AlertChange['kind'] | undefined)[] {
  const changes: (AlertChange['kind'] | undefined)[] = history.map(() => undefined);
  let from = 0;
  for (;;) {
    const fired = history.findIndex(({ nowMs }, index) => {
      if (index < from) return false;
      const begin = history.findLastIndex(({ word }, before) => before <= index && word !== 'bad') + 1;
      const first = history[Math.max(begin, from)];
      return first !== undefined && Math.max(begin, from) <= index && nowMs - first.nowMs >= forMs;
    });
    if (fired < 0) return changes;
    changes[fired] = 'fired';
    const resolved = history.findIndex(({ word }, index) => index > fired && word === 'good');
    if (resolved < 0) return changes;
    changes[resolved] = 'resolved';
    from = resolved + 1;
  }
}
