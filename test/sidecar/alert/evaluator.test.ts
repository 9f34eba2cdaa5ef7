import { Evaluator } from '../../../sidecar/alert/evaluator';
import { captureLog } from '../../support/captured-log';
import { ManualClock } from '../../support/manual-clock';

const INTERVAL = 5_000;

interface Rim {
  readonly clock: ManualClock;
  readonly evaluator: Evaluator;
  readonly lines: readonly string[];
  /** The time that each round was told, and when (monotonic) and how it ended. */
  readonly told: readonly number[];
  readonly rounds: readonly { atMs: number; durationMs: number; failed: boolean }[];
  readonly faults: readonly unknown[];
}

/** @param round what happens in a round, told which one it is, from 1 */
function rimOf(round: (number: number, rim: Rim) => void = () => undefined): Rim {
  const clock = new ManualClock();
  const { logger, lines } = captureLog();
  const told: number[] = [];
  const rounds: { atMs: number; durationMs: number; failed: boolean }[] = [];
  const faults: unknown[] = [];
  const evaluator = new Evaluator(
    {
      round: (nowMs) => {
        told.push(nowMs);
        round(told.length, rim);
      },
      clock,
      logger,
      onRound: (end) => void rounds.push({ atMs: clock.monotonicMs(), ...end }),
      onFault: (error) => void faults.push(error),
    },
    INTERVAL,
  );
  const rim: Rim = { clock, evaluator, lines, told, rounds, faults };
  return rim;
}

function endsOf({ rounds }: Rim): number[] {
  return rounds.map(({ atMs }) => atMs);
}

describe('the evaluator', () => {
  it('runs a round at every interval from its start, and none after it was stopped', () => {
    const rim = rimOf();
    rim.clock.advance(60_000);
    expect(rim.rounds).toEqual([]);
    rim.evaluator.start();
    rim.clock.advance(15_000);
    rim.evaluator.stop();
    rim.clock.advance(60_000);
    expect(endsOf(rim)).toEqual([65_000, 70_000, 75_000]);
    expect(rim.clock.timers).toBe(0);
  });

  it('tells each round the time of its beginning', () => {
    const rim = rimOf((_, { clock }) => clock.pass(100));
    const startMs = rim.clock.nowMs();
    rim.evaluator.start();
    rim.clock.advance(10_100);
    expect(rim.told).toEqual([startMs + 5_000, startMs + 10_000]);
  });

  it('runs one series of rounds when it is started twice', () => {
    const rim = rimOf();
    rim.evaluator.start();
    rim.evaluator.start();
    rim.clock.advance(15_000);
    expect(rim.rounds).toHaveLength(3);
  });

  it('goes on after a round that throws, and says so in the log', () => {
    const broken = new Error('broken');
    const rim = rimOf((number) => {
      if (number === 1) throw broken;
    });
    rim.evaluator.start();
    rim.clock.advance(2 * INTERVAL);
    expect(rim.rounds.map(({ failed }) => failed)).toEqual([true, false]);
    expect(rim.faults).toEqual([broken]);
    expect(rim.lines.join('')).toContain('broken');
  });

  it('skips the rounds that one long round missed, keeps to its grid, and measures the round', () => {
    const rim = rimOf((number, { clock }) => {
      if (number === 1) clock.pass(12_000);
    });
    rim.evaluator.start();
    rim.clock.advance(30_000);
    expect(endsOf(rim)).toEqual([17_000, 20_000, 25_000, 30_000]);
    expect(rim.rounds[0]?.durationMs).toBe(12_000);
  });

  it('never runs a round in a round, however long each takes', () => {
    let depth = 0;
    const rim = rimOf((_, { clock }) => {
      depth += 1;
      expect(depth).toBe(1);
      clock.advance(2 * INTERVAL + 1);
      depth -= 1;
    });
    rim.evaluator.start();
    rim.clock.advance(60_000);
    expect(endsOf(rim)).toEqual([15_001, 30_001, 45_001, 60_001]);
    expect(rim.faults).toEqual([]);
    expect(rim.clock.timers).toBe(1);
  });

  it('does not stumble when the clock is set back', () => {
    const rim = rimOf();
    const startMs = rim.clock.nowMs();
    rim.evaluator.start();
    rim.clock.advance(INTERVAL);
    rim.clock.setBack(3_600_000);
    rim.clock.advance(2 * INTERVAL);
    expect(endsOf(rim)).toEqual([5_000, 10_000, 15_000]);
    expect(rim.told).toEqual([startMs + 5_000, startMs - 3_590_000, startMs - 3_585_000]);
  });

  it('takes a new interval at a reload', () => {
    const rim = rimOf();
    rim.evaluator.start();
    rim.clock.advance(INTERVAL);
    rim.evaluator.reconfigure(1_000);
    rim.clock.advance(2_000);
    expect(endsOf(rim)).toEqual([5_000, 6_000, 7_000]);
  });

  it('is not held up by reloads that come faster than its rounds', () => {
    const rim = rimOf();
    rim.evaluator.start();
    for (let seconds = 0; seconds < 15; seconds += 1) {
      rim.clock.advance(1_000);
      rim.evaluator.reconfigure(INTERVAL);
    }
    expect(endsOf(rim)).toEqual([5_000, 10_000, 15_000]);
  });

  it('can be stopped and given another interval in the middle of a round', () => {
    const rim = rimOf((number, { evaluator }) => {
      if (number === 1) evaluator.reconfigure(1_000);
      if (number === 3) evaluator.stop();
    });
    rim.evaluator.start();
    rim.clock.advance(60_000);
    expect(endsOf(rim)).toEqual([5_000, 6_000, 7_000]);
  });

  it('does not start by a reload', () => {
    const rim = rimOf();
    rim.evaluator.reconfigure(1_000);
    rim.clock.advance(10_000);
    expect(rim.rounds).toEqual([]);
  });
});
