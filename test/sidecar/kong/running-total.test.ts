import fc from 'fast-check';
import { RunningTotal } from '../../../sidecar/kong/running-total';

describe('a total over a counter that may begin again', () => {
  it('begins at 0, whatever the counter was at', () => {
    expect(new RunningTotal().read(1_000, false)).toBe(0);
  });

  it('grows by all of what is there after a restart, also where that is more than before it', () => {
    const total = new RunningTotal();
    total.read(10, false);
    expect(total.read(4, true)).toBe(4);
    expect(total.read(6, false)).toBe(6);
    expect(total.read(100, true)).toBe(106);
  });

  it('stays where the counter goes back without a restart, and goes on from there', () => {
    const total = new RunningTotal();
    total.read(1_000, false);
    expect(total.read(990, false)).toBe(0);
    expect(total.read(995, false)).toBe(5);
  });

  it('is what was added from the first reading on, however often it restarts right after a reading', () => {
    const step = fc.record({ added: fc.nat(1_000), restarts: fc.boolean() });
    fc.assert(
      fc.property(fc.nat(), fc.array(step), (first, steps) => {
        const total = new RunningTotal();
        let counter = first;
        let expected = 0;
        total.read(counter, false);
        for (const { added, restarts } of steps) {
          counter = (restarts ? 0 : counter) + added;
          expected += added;
          expect(total.read(counter, restarts)).toBe(expected);
        }
      }),
    );
  });
});
