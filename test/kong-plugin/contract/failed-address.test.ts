import fc from 'fast-check';
import {
  MAX_ADDRESSES,
  addAddress,
  addressText,
  isAddress,
} from '../../../kong-plugin/contract/failed-address';

type Failure = readonly [address: string, failures: number];

function added(...failures: readonly Failure[]): Map<string, number> {
  const addresses = new Map<string, number>();
  for (const [address, count] of failures) addAddress(addresses, address, count);
  return addresses;
}

/** Without their order. */
function sorted(addresses: ReadonlyMap<string, number>): Failure[] {
  return [...addresses].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('failed addresses', () => {
  const numbered = (number: number): string => `10.0.0.${number}:80`;
  const many = (count: number): Failure[] =>
    Array.from({ length: count }, (_, number) => [numbered(100 + number), 1]);

  it('are counted apart up to 64, and the others together', () => {
    expect(added(...many(64)).has('__other__')).toBe(false);
    const addresses = added(...many(67), [numbered(100), 5], [numbered(166), 7]);
    expect(addresses.size).toBe(65);
    expect(addresses.get('__other__')).toBe(3 + 7);
    expect(addresses.get(numbered(100))).toBe(6);
    expect(addresses.has(numbered(163))).toBe(true);
    expect(addresses.has(numbered(164))).toBe(false);
  });

  it('have a place for one that comes late if it is before another', () => {
    const addresses = added(...many(64), [numbered(0), 2], [numbered(163), 4]);
    expect(addresses.get(numbered(0))).toBe(2);
    expect(addresses.get('__other__')).toBe(1 + 4);
  });

  const failures = fc.array(
    fc.tuple(fc.integer({ min: 100, max: 220 }).map(numbered), fc.integer({ min: 1, max: 9 })),
    { maxLength: 400, size: 'max' },
  );

  it('are the same in whatever order and parts they are added, and their sum is that of what was added', () => {
    let full = 0;
    fc.assert(
      fc.property(failures, fc.nat({ max: 400 }), (all, cut) => {
        const atOnce = added(...all);
        const parts = [all.slice(cut), all.slice(0, cut)].map((part) => added(...part));
        expect(sorted(added(...parts.flatMap((part) => [...part])))).toEqual(sorted(atOnce));
        expect(sorted(added(...[...all].reverse()))).toEqual(sorted(atOnce));
        expect(atOnce.size).toBeLessThanOrEqual(MAX_ADDRESSES + 1);
        const sumOf = (counts: Iterable<Failure>): number =>
          [...counts].reduce((sum, [, count]) => sum + count, 0);
        expect(sumOf(atOnce)).toBe(sumOf(all));
        if (atOnce.has('__other__')) full += 1;
      }),
      { numRuns: 200, seed: 21 },
    );
    expect(full).toBeGreaterThan(20);
  });
});

describe('the text of an address', () => {
  it('is printable ASCII of at most 64 characters, whatever it came from, and then stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), (text) => {
        const address = addressText(text);
        expect(isAddress(address)).toBe(true);
        expect(addressText(address)).toBe(address);
      }),
    );
  });

  it.each(['10.0.0.1:80', '[fe80::1%eth0]:8080', '[2001:0db8:0000:0000:0000:0000:0000:0001]:65535'])(
    'is %s as it came',
    (text) => {
      expect(addressText(text)).toBe(text);
    },
  );

  it.each(['', ' ', 'a b', 'a\n', 'é', 'x'.repeat(65)])('is not %j', (text) => {
    expect(isAddress(text)).toBe(false);
  });
});
