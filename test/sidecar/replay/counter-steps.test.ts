import { CounterSteps, PLAIN, type Parts, type Reading } from '../../../sidecar/replay/counter-steps';

const at = (value: number, key = 'a', target = 't'): Reading => ({
  key,
  target,
  parts: new Map([[PLAIN, value]]),
});
const buckets = (...parts: [number, number][]): Reading => ({ key: 'h', target: 't', parts: new Map(parts) });

/** What each step gives, as key, parts and steps. */
function run(...steps: (readonly Reading[])[]): [key: string, parts: [number, number][], steps: number][][] {
  const counters = new CounterSteps();
  const plain = (parts: Parts): [number, number][] => [...parts];
  return steps.map((readings, step) =>
    readings.length === 0
      ? []
      : counters
          .take(step, readings)
          .map(
            ({ key, parts, steps: over }) =>
              [key, plain(parts), over] as [string, [number, number][], number],
          ),
  );
}

describe('a counter', () => {
  it('rises by the difference to the step before, and what it held at first is older than the replay', () => {
    expect(run([at(100)], [at(103)], [at(103)], [at(110)])).toEqual([
      [],
      [['a', [[PLAIN, 3]], 1]],
      [],
      [['a', [[PLAIN, 7]], 1]],
    ]);
  });

  it('that is lower than before has begun anew, and all of it is new', () => {
    expect(run([at(100)], [at(4)], [at(6)])).toEqual([
      [],
      [['a', [[PLAIN, 4]], 1]],
      [['a', [[PLAIN, 2]], 1]],
    ]);
  });

  it('that appears where its target was there before begins at 0, and that of a new target does not', () => {
    expect(run([at(100)], [at(100), at(7, 'b'), at(50, 'c', 'other')])).toEqual([
      [],
      [['b', [[PLAIN, 7]], 1]],
    ]);
  });

  it('that was gone while its target was there begins at 0 again, even where it is higher', () => {
    const other = at(1, 'b');
    expect(run([at(5), other], [other], [at(9), other])).toEqual([[], [], [['a', [[PLAIN, 9]], 1]]]);
  });

  it('whose target was away rises over all the steps since', () => {
    expect(run([at(5)], [], [], [at(9), at(2, 'b')])).toEqual([
      [],
      [],
      [],
      [
        ['a', [[PLAIN, 4]], 3],
        ['b', [[PLAIN, 2]], 3],
      ],
    ]);
  });
});

describe('the buckets of a histogram', () => {
  it('begin anew together, even where one of them is higher than before', () => {
    expect(run([buckets([100, 2], [Infinity, 90])], [buckets([100, 5], [Infinity, 6])])[1]).toEqual([
      [
        'h',
        [
          [100, 5],
          [Infinity, 6],
        ],
        1,
      ],
    ]);
  });

  it('count from their second value on where a bound is added', () => {
    expect(
      run(
        [buckets([100, 2], [Infinity, 9])],
        [buckets([50, 1], [100, 3], [Infinity, 10])],
        [buckets([50, 2], [100, 4], [Infinity, 11])],
      ).slice(1),
    ).toEqual([
      [
        [
          'h',
          [
            [100, 1],
            [Infinity, 1],
          ],
          1,
        ],
      ],
      [
        [
          'h',
          [
            [50, 1],
            [100, 1],
            [Infinity, 1],
          ],
          1,
        ],
      ],
    ]);
  });
});
