// The law of the running sums: whatever comes in, however late, and wherever the clock goes, they say what a plain sum over all that
// lies in the window says.
import fc from 'fast-check';
import { WINDOW_LEVELS } from '../../../sidecar/config/rule';
import { ScopeWindows } from '../../../sidecar/window/scope-windows';
import { needsOf } from '../../../sidecar/window/window-needs';
import { WindowModel } from './window-model';
import { anySteps, RULES, SCOPES, toldBy } from './window-steps';

const START = 1_700_000_003_000;
const NEEDS = needsOf(RULES);

it('a running sum is the sum of the slots that its window touches, after any history', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const windows = new ScopeWindows(NEEDS, START);
      const model = new WindowModel(NEEDS, SCOPES);
      const expectSame = (nowMs: number): void =>
        expect(toldBy(windows, nowMs, NEEDS)).toEqual(toldBy(model, nowMs, NEEDS));
      let nowMs = START;
      for (const step of steps) {
        if (step.kind === 'pass') nowMs += step.byMs;
        else if (step.kind === 'add') {
          windows.add(nowMs - step.ageMs, step.deltas, nowMs);
          model.add(nowMs - step.ageMs, step.deltas, nowMs);
        } else expectSame(nowMs);
      }
      expectSame(nowMs);
      // Nothing is left behind, and nothing was taken out twice.
      expectSame(nowMs + 200 * 60_000);
      expect(WINDOW_LEVELS.flatMap((level) => [...windows.scopes(level)])).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
