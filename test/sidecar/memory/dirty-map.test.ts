import fc from 'fast-check';
import { DirtyMap } from '../../../sidecar/memory/dirty-map';

describe('a map that knows what changed', () => {
  it('leaves a disk that applies its changes with what the map holds, whenever it is asked', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.tuple(fc.constant('set' as const), key, fc.nat()),
      fc.tuple(fc.constantFrom('delete' as const, 'forget' as const, 'take' as const), key, fc.constant(0)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const map = new DirtyMap<number>('alert/');
        const disk = new Map<string, unknown>([['alert/a', 'old']]);
        map.restore('a', 0);
        disk.set('alert/a', 0);
        const take = (): void => {
          const { puts, deletes } = map.takeDirty();
          for (const one of puts) disk.set(one.key, one.value);
          for (const gone of deletes) disk.delete(gone);
          const held = [...map.keys()].map((own) => [`alert/${own}`, map.get(own)] as const);
          expect(disk).toEqual(new Map(held));
          expect(map.takeDirty()).toEqual({ puts: [], deletes: [] });
        };
        for (const [what, own, value] of steps) {
          if (what === 'set') map.set(own, value);
          else if (what === 'take') take();
          else map[what](own);
        }
        take();
      }),
      { numRuns: 200, seed: 5 },
    );
  });
});
