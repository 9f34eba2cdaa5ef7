import fc from 'fast-check';
import {
  lookForChanges,
  NO_CONFIGURATIONS,
  type KnownConfigurations,
} from '../../../sidecar/kong/configuration-change';
import type { KongFacts } from '../../../sidecar/kong/kong-facts';

/** Instance -> its hash; `undefined`: it does not tell. */
function facts(hashes: Readonly<Record<string, string | undefined>>): KongFacts {
  return {
    instances: Object.entries(hashes).map(([instance, configurationHash]) => ({
      instance,
      isReachable: true,
      configurationHash,
      problem: undefined,
      targets: [],
    })),
    observed: () => undefined,
  };
}

/** What each look found: `one: a -> b`. */
function seen(...looks: Readonly<Record<string, string | undefined>>[]): string[][] {
  let known: KnownConfigurations = NO_CONFIGURATIONS;
  return looks.map((hashes) => {
    const look = lookForChanges(known, facts(hashes));
    known = look.known;
    return look.changes.map(({ instance, before, after }) => `${instance}: ${before} -> ${after}`);
  });
}

describe("a change of Kong's configuration", () => {
  it('is what comes after the first that is known', () => {
    expect(seen({ one: 'a' }, { one: 'a' }, { one: 'b' }, { one: 'b' }, { one: 'a' })).toEqual([
      [],
      [],
      ['one: a -> b'],
      [],
      ['one: b -> a'],
    ]);
  });

  it('is news once, at the first Kong that has it, and of each new one again', () => {
    expect(
      seen(
        { one: 'a', two: 'a', three: 'a' },
        { one: 'a', two: 'b', three: 'a' },
        { one: 'b', two: 'b', three: 'b' },
        { one: 'c', two: 'b', three: 'c' },
        { one: 'c', two: 'c', three: 'c' },
      ),
    ).toEqual([[], ['two: a -> b'], [], ['one: b -> c'], []]);
  });

  it('is none where a Kong starts without a configuration, does not tell of it, or is not there', () => {
    const EMPTY = '0'.repeat(32);
    expect(
      seen({ one: EMPTY }, { one: 'a' }, { one: EMPTY }, { one: undefined }, { one: 'a' }, { one: '' }),
    ).toEqual(Array(6).fill([]));
    expect(seen({ one: 'a' }, { one: EMPTY }, { one: 'b' })).toEqual([[], [], ['one: a -> b']]);
    expect(seen({ one: 'a' }, {}, { one: 'a' })).toEqual([[], [], []]);
  });

  it('is none where a Kong comes behind and goes through what the others have had before it', () => {
    expect(
      seen(
        { one: 'a', two: 'a' },
        { one: 'b', two: 'a' },
        { one: 'c', two: 'a' },
        { one: 'c', two: 'b' },
        { one: 'c', two: 'c' },
        { one: 'b', two: 'c' },
        { one: 'b', two: 'b' },
      ),
    ).toEqual([[], ['one: a -> b'], ['one: b -> c'], [], [], ['one: c -> b'], []]);
  });

  it('is none where a Kong joins, whatever it has; but what it takes over later is', () => {
    expect(seen({ one: 'a' }, { one: 'a', two: 'x' }, { one: 'a', two: 'y' })).toEqual([
      [],
      [],
      ['two: x -> y'],
    ]);
  });

  it('is not told by what a prototype has', () => {
    expect(seen({ constructor: 'a' }, { constructor: 'b' })).toEqual([[], ['constructor: a -> b']]);
  });

  it('leaves what is known the same object where nothing changed, so that nothing is written', () => {
    const { known } = lookForChanges(NO_CONFIGURATIONS, facts({ one: 'a', two: 'b' }));
    expect(lookForChanges(known, facts({ two: 'b', one: 'a' })).known).toBe(known);
    expect(lookForChanges(known, facts({ one: 'a' })).known).toEqual({
      latest: 'a',
      hashes: { one: 'a' },
      recent: [],
    });
    expect(lookForChanges(NO_CONFIGURATIONS, facts({ one: undefined })).known).toBe(NO_CONFIGURATIONS);
  });

  it('is told no oftener than a Kong changes, and, where all take the same, as often as there is something new', () => {
    const look = fc.record({
      one: fc.constantFrom('a', 'b', undefined),
      two: fc.constantFrom('a', 'b', undefined),
    });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 30 }), (looks) => {
        const told = seen(...looks).flat().length;
        let changes = 0;
        for (const name of ['one', 'two'] as const) {
          const hashes = looks.flatMap((hashesOf) => hashesOf[name] ?? []);
          changes += hashes.filter((hash, index) => index > 0 && hash !== hashes[index - 1]).length;
        }
        expect(told).toBeLessThanOrEqual(changes);
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(3), fc.nat(3)), {
          minLength: 1,
          maxLength: 12,
        }),
        (rollouts) => {
          // Each takes it over after some looks of its own; the next begins when both have.
          const looks: Record<string, string>[] = [];
          let [one, two] = [rollouts[0]?.[0] ?? '', rollouts[0]?.[0] ?? ''];
          for (const [hash, oneAfter, twoAfter] of rollouts)
            for (let at = 0; at <= Math.max(oneAfter, twoAfter); at += 1) {
              if (at >= oneAfter) one = hash;
              if (at >= twoAfter) two = hash;
              looks.push({ one, two });
            }
          const news = rollouts.filter(([hash], index) => index > 0 && hash !== rollouts[index - 1]?.[0]);
          expect(
            seen(...looks)
              .flat()
              .map((text) => text.split(' -> ')[1]),
          ).toEqual(news.map(([hash]) => hash));
        },
      ),
    );
  });
});
