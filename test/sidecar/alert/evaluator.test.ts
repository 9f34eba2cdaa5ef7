import { AlertBook } from '../../../sidecar/alert/alert-book';
import type { AlertChange } from '../../../sidecar/alert/alert-change';
import { Evaluator } from '../../../sidecar/alert/evaluator';
import { ServiceWindows } from '../../../sidecar/window/service-windows';
import { captureLog } from '../../support/captured-log';
import { ManualClock } from '../../support/manual-clock';
import { sampleDelta } from '../../support/sample-delta';
import { p95Rule } from '../../support/sample-rules';

const INTERVAL = 5_000;

function evaluatorOf({ inRound }: { inRound?: (evaluator: Evaluator, rounds: number) => void } = {}) {
  const clock = new ManualClock();
  const windows = new ServiceWindows(60_000);
  const { logger, lines } = captureLog();
  const told: (readonly AlertChange[])[] = [];
  const rounds: { atMs: number; durationMs: number; failed: boolean }[] = [];
  const onChanges = (changes: readonly AlertChange[]) => void told.push(changes);
  const onRound = (round: { durationMs: number; failed: boolean }) => {
    rounds.push({ atMs: clock.monotonicMs(), ...round });
    inRound?.(evaluator, rounds.length);
  };
  const book = new AlertBook();
  const parts = { windows, book, clock, logger, onChanges, onRound };
  const evaluator = new Evaluator(parts, [p95Rule()], INTERVAL);
  return { clock, windows, book, evaluator, lines, told, rounds };
}

describe('the evaluator', () => {
  it('runs a round at every interval from its start, and none after it was stopped', () => {
    const { clock, evaluator, rounds } = evaluatorOf();
    clock.advance(60_000);
    expect(rounds).toEqual([]);
    evaluator.start();
    clock.advance(15_000);
    evaluator.stop();
    clock.advance(60_000);
    expect(rounds.map(({ atMs }) => atMs)).toEqual([65_000, 70_000, 75_000]);
    expect(clock.timers).toBe(0);
  });

  it('runs one series of rounds when it is started twice', () => {
    const { clock, evaluator, rounds } = evaluatorOf();
    evaluator.start();
    evaluator.start();
    clock.advance(15_000);
    expect(rounds).toHaveLength(3);
  });

  it('passes on what changed, and says nothing in a round without a change', () => {
    const { clock, windows, evaluator, told } = evaluatorOf();
    evaluator.start();
    windows.add(clock.nowMs(), [sampleDelta({}, [900])], clock.nowMs());
    clock.advance(3 * INTERVAL);
    expect(told).toMatchObject([[{ kind: 'fired', alert: { service: 'shop' } }]]);
  });

  it('forgets what no window needs', () => {
    const { clock, windows, evaluator } = evaluatorOf();
    evaluator.start();
    windows.add(clock.nowMs(), [sampleDelta({}, [10])], clock.nowMs());
    clock.advance(50_000);
    expect(windows.services()).toEqual(['shop']);
    clock.advance(30_000);
    expect(windows.services()).toEqual([]);
  });

  it('goes on after a round that throws, and says so in the log', () => {
    const { clock, windows, evaluator, rounds, lines } = evaluatorOf();
    const services = windows.services.bind(windows);
    windows.services = () => {
      windows.services = services;
      throw new Error('broken');
    };
    evaluator.start();
    clock.advance(2 * INTERVAL);
    expect(rounds.map(({ failed }) => failed)).toEqual([true, false]);
    expect(lines.join('')).toContain('broken');
  });

  it('skips the rounds that one long round missed, keeps to its grid, and measures the round', () => {
    const { clock, windows, evaluator, rounds } = evaluatorOf();
    const services = windows.services.bind(windows);
    windows.services = () => {
      windows.services = services;
      clock.pass(12_000);
      return services();
    };
    evaluator.start();
    clock.advance(30_000);
    expect(rounds.map(({ atMs }) => atMs)).toEqual([17_000, 20_000, 25_000, 30_000]);
    expect(rounds[0]?.durationMs).toBe(12_000);
  });

  it('does not stumble when the clock is set back', () => {
    const { clock, windows, evaluator, rounds, told } = evaluatorOf();
    evaluator.start();
    windows.add(clock.nowMs(), [sampleDelta({}, [900])], clock.nowMs());
    clock.advance(INTERVAL);
    clock.setBack(3_600_000);
    clock.advance(INTERVAL);
    windows.add(clock.nowMs(), [sampleDelta({}, new Array<number>(50).fill(10))], clock.nowMs());
    clock.advance(INTERVAL);
    expect(rounds.map(({ atMs }) => atMs)).toEqual([5_000, 10_000, 15_000]);
    expect(told.flat().map(({ kind }) => kind)).toEqual(['fired', 'resolved']);
  });

  it('takes new rules, a new interval and a longer window at a reload', () => {
    const { clock, windows, book, evaluator, rounds } = evaluatorOf();
    evaluator.start();
    clock.advance(INTERVAL);
    evaluator.reconfigure([p95Rule({ name: 'very-slow', windowMs: 600_000 })], 1_000);
    windows.add(clock.nowMs() - 300_000, [sampleDelta({}, [900])], clock.nowMs());
    clock.advance(2_000);
    expect(rounds.map(({ atMs }) => atMs)).toEqual([5_000, 6_000, 7_000]);
    expect([...book.alerts()]).toMatchObject([{ rule: { name: 'very-slow' }, state: 'firing' }]);
  });

  it('is not held up by reloads that come faster than its rounds', () => {
    const { clock, evaluator, rounds } = evaluatorOf();
    evaluator.start();
    for (let seconds = 0; seconds < 15; seconds += 1) {
      clock.advance(1_000);
      evaluator.reconfigure([p95Rule()], INTERVAL);
    }
    expect(rounds.map(({ atMs }) => atMs)).toEqual([5_000, 10_000, 15_000]);
  });

  it('can be stopped and given new rules in the middle of a round', () => {
    const { clock, evaluator, rounds } = evaluatorOf({
      inRound: (evaluator, rounds) => {
        if (rounds === 1) evaluator.reconfigure([], 1_000);
        if (rounds === 3) evaluator.stop();
      },
    });
    evaluator.start();
    clock.advance(60_000);
    expect(rounds.map(({ atMs }) => atMs)).toEqual([5_000, 6_000, 7_000]);
  });

  it('does not start by a reload', () => {
    const { clock, evaluator, rounds } = evaluatorOf();
    evaluator.reconfigure([], 1_000);
    clock.advance(10_000);
    expect(rounds).toEqual([]);
  });
});
