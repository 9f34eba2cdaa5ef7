import fc from 'fast-check';
import {
  DamagedRecord,
  MEMORY_VERSION,
  OtherVersion,
  encodeRecord,
  keyOf,
  placeOf,
  valueOf,
} from '../../../sidecar/memory/memory-record';

const plain = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('__proto__'));

/** MessagePack has one zero. */
function withoutSigns(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('a record of the memory', () => {
  it('comes back as it was, whatever the key and the value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), plain, (key, value) => {
        const record = encodeRecord(key, value);
        expect(keyOf(record)).toBe(key);
        expect(withoutSigns(valueOf(record))).toEqual(withoutSigns(value));
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it('keeps bytes, big numbers and those that are none, and leaves out what is undefined', () => {
    const value = {
      bytes: new Uint8Array([0, 255, 7]),
      most: Number.MAX_SAFE_INTEGER,
      share: 0.1,
      endless: Infinity,
      no: undefined,
    };
    const read = valueOf(encodeRecord('route', value)) as typeof value;
    expect(Buffer.from(read.bytes)).toEqual(Buffer.from(value.bytes));
    expect({ ...read, bytes: undefined }).toEqual({ ...value, bytes: undefined });
    expect(Object.hasOwn(read, 'no')).toBe(false);
    expect(valueOf(encodeRecord('route', NaN))).toBeNaN();
  });

  it.each([
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['a Date', new Date(0)],
    ['an object of a class', new URL('http://localhost')],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['a key that its reader would refuse', JSON.parse('{"__proto__": 1}') as unknown],
  ])('is not made of what would come back as something else: %s', (_what, value) => {
    expect(() => encodeRecord('route', { deep: [value] })).toThrow(TypeError);
  });

  it('is refused wherever one bit of it is another', () => {
    const record = encodeRecord('alert/1', { state: 'firing', sinceMs: 1_700_000_000_000 });
    for (let bit = 0; bit < record.length * 8; bit++) {
      const flipped = Buffer.from(record);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => keyOf(flipped)).toThrow(DamagedRecord);
    }
    for (let length = 0; length < record.length; length++) {
      expect(() => keyOf(record.subarray(0, length))).toThrow(DamagedRecord);
    }
  });

  it('is no damage where another release wrote it', () => {
    const record = encodeRecord('alert/1', 1, MEMORY_VERSION + 1);
    expect(() => keyOf(record)).toThrow(OtherVersion);
  });

  it('stands under its key, and under a digest where that is too long for lmdb', () => {
    expect(placeOf('alert/1').toString()).toBe('alert/1');
    const long = 'x'.repeat(257);
    expect(placeOf(long).toString()).toMatch(/^#[0-9a-f]{64}$/);
    expect(placeOf(`${long}y`)).not.toEqual(placeOf(long));
    expect(placeOf('').toString()).toMatch(/^#[0-9a-f]{64}$/);
  });
});
