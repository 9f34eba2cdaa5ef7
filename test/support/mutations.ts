// Spoils bytes and documents in the ways that storage, networks and people do. Seeded: the same for the same random numbers.

type Random = () => number;

function upTo(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function oneOf<Value>(random: Random, values: readonly Value[]): Value {
  return values[upTo(random, values.length)] as Value;
}

/** What a number may be replaced by: the limits of every kind of number, and what is none. */
export const ODD_NUMBERS = [
  '0',
  '-0',
  '-1',
  '1',
  '0.5',
  '007',
  '1e3',
  '1e12',
  '1000000000001',
  '1e400',
  '-1e400',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551616',
  'NaN',
  'Infinity',
  '0x10',
  '1_000',
  '9'.repeat(400),
  'null',
  'true',
  '"1"',
  '[]',
  '{}',
];

/** Texts that somebody, somewhere, reads as something else. */
export const ODD_TEXTS = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\udfff x',
  '\u2028',
  '\r\n',
  '"',
  '\\',
  '__proto__',
  'constructor',
  'toString',
  '__other__',
  '}{',
  '",status="200',
  '${GATEWATCH_TOKEN}',
  '🙂',
  'x'.repeat(64 * 1024),
];

const BYTES: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  function changeBits(bytes, random) {
    const changed = Buffer.from(bytes);
    for (let one = 0; one <= upTo(random, 3); one++) {
      const at = upTo(random, changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << upTo(random, 8));
    }
    return changed;
  },
  function changeByte(bytes, random) {
    const changed = Buffer.from(bytes);
    changed[upTo(random, changed.length)] = upTo(random, 256);
    return changed;
  },
  function cutOff(bytes, random) {
    return bytes.subarray(0, upTo(random, bytes.length));
  },
  function leaveOut(bytes, random) {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function repeat(bytes, random) {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  function insert(bytes, random) {
    const at = upTo(random, bytes.length);
    const odd = [
      [0],
      [0xff, 0xfe],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xef, 0xbb, 0xbf],
      [0x0a],
      [0x09],
      [0x7f],
    ];
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(oneOf(random, odd)), bytes.subarray(at)]);
  },
  function noise(_bytes, random) {
    return Buffer.from(Array.from({ length: upTo(random, 200) }, () => upTo(random, 256)));
  },
  function changeNumber(bytes, random) {
    return replaceOne(bytes, /-?\d+(?:\.\d+)?/g, oneOf(random, ODD_NUMBERS), random);
  },
  function changeText(bytes, random) {
    return replaceOne(bytes, /"(?:[^"\\]|\\.)*"/g, JSON.stringify(oneOf(random, ODD_TEXTS)), random);
  },
  function nest(bytes, random) {
    const depth = oneOf(random, [1, 5, 30, 5_000]);
    return replaceOne(bytes, /-?\d+|"[^"]*"/g, '['.repeat(depth) + ']'.repeat(depth), random);
  },
];

function range(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = upTo(random, bytes.length);
  return [from, Math.min(bytes.length, from + 1 + upTo(random, 64))];
}

function replaceOne(bytes: Buffer, pattern: RegExp, by: string, random: Random): Buffer {
  const text = bytes.toString('latin1');
  const matches = [...text.matchAll(pattern)];
  if (matches.length === 0) return bytes;
  const { 0: found, index } = oneOf(random, matches);
  const at = index;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(by), bytes.subarray(at + found.length)]);
}

/** The bytes with one to three places spoiled. */
export function spoilBytes(bytes: Buffer, random: Random): Buffer {
  let spoiled = bytes;
  for (let one = 0; one <= upTo(random, 3); one++) spoiled = oneOf(random, BYTES)(spoiled, random);
  return spoiled;
}

/** A copy of plain data in which one place, chosen evenly among all, is another value. */
export function spoilDocument(document: unknown, others: readonly unknown[], random: Random): unknown {
  const copy = structuredClone(document);
  const places: { holder: Record<string | number, unknown>; key: string | number }[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const holder = value as Record<string | number, unknown>;
    for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
      places.push({ holder, key });
      collect(holder[key]);
    }
  };
  collect(copy);
  if (places.length === 0) return oneOf(random, others);
  const { holder, key } = oneOf(random, places);
  if (random() < 0.1 && !Array.isArray(holder)) Reflect.deleteProperty(holder, key);
  else holder[key] = structuredClone(oneOf(random, others));
  return copy;
}
