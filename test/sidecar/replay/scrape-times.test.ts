import { ScrapeTimes } from '../../../sidecar/replay/scrape-times';

const STEP_MS = 15_000;

/** Since when samples are missed, of each step, in steps; `sampledAt` says when each step's newest sample is from. */
function missed(sampledAt: readonly (number | undefined)[]): (number | undefined)[] {
  const times = new ScrapeTimes(STEP_MS);
  return sampledAt.map((at, step) => {
    const sampled = new Map(at === undefined ? [] : [['t', at]]);
    const { missedSinceMs } = times.take(step * STEP_MS, sampled);
    return missedSinceMs === undefined ? undefined : missedSinceMs / STEP_MS;
  });
}

const every = (steps: number, count: number): number[] =>
  Array.from({ length: count }, (_, step) => step - (step % steps));

describe('the times of scrapes', () => {
  it('are as usual where each step has a new sample, and where every fourth has', () => {
    expect(missed(every(1, 40)).filter((since) => since !== undefined)).toEqual([]);
    expect(missed(every(4, 40)).filter((since) => since !== undefined)).toEqual([]);
  });

  it('are missed after twice the usual time without a new one, up to the step that has one again', () => {
    const last = [...every(1, 10), 9, 9, 9, undefined, 14, 15];
    expect(missed(last).slice(10)).toEqual([undefined, undefined, 9, 9, 9, undefined]);
  });

  it('tell which targets have a new sample', () => {
    const times = new ScrapeTimes(STEP_MS);
    times.take(
      0,
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
    expect([
      ...times.take(
        STEP_MS,
        new Map([
          ['a', 1],
          ['b', 3],
        ]),
      ).fresh,
    ]).toEqual(['b']);
  });
});
