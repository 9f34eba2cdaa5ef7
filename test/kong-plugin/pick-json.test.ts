// A few values out of JSON, against what JSON.parse makes of the same text.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { jsonPicker, type Path } from '../../kong-plugin/pick-json';
import { spoilBytes } from '../support/mutations';
import { seededRandom } from '../support/seeded-random';

const LOGS = resolve(__dirname, '../fixtures/kong/logs');

const PATHS: readonly Path[] = [
  ['a'],
  ['b', 'a'],
  ['b', 'cc', 'a'],
  ['b', 'cc', 'dd'],
  ['b', 'e'],
  ['cc'],
  ['request', 'method'],
  ['request', 'headers', 'host'],
  ['tries'],
];
const pick = jsonPicker(PATHS);

/** Not to be read before the stack ends. */
const TOO_DEEP = /\[{1000}|(?:\{"a":){1000}/;

/** What the law says: the values at the paths, or that it is no object, or that it is no JSON. */
function parsed(text: string): unknown {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return 'no JSON';
  }
  return isRecord(document) ? PATHS.map((path) => path.reduce<unknown>(valueIn, document)) : undefined;
}

function valueIn(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function picked(text: string): unknown {
  try {
    return pick(Buffer.from(text));
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return 'no JSON';
  }
}

/** Half a surrogate pair has no bytes. */
const arbitraryText = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.toWellFormed());
const arbitraryName = fc.oneof(
  fc.constantFrom('a', 'b', 'cc', 'dd', 'e', 'request', 'method', 'headers', 'host', 'tries', '__proto__'),
  arbitraryText,
);
const { document: arbitraryDocument } = fc.letrec((tie) => ({
  document: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    arbitraryText,
    fc.double(),
    fc.integer(),
    fc.constantFrom(null, true, false, -0, 1e21, 1e-7, 123456789, 1234567890),
    fc.array(tie('document'), { maxLength: 4 }),
    fc.dictionary(arbitraryName, tie('document'), { maxKeys: 5 }),
  ),
}));

describe('what is picked out of JSON', () => {
  it('is what JSON.parse puts there, however it is written', () => {
    fc.assert(
      fc.property(arbitraryDocument, fc.constantFrom(undefined, 1, '\t', '\n \r'), (document, space) => {
        const text = JSON.stringify(document, null, space);
        expect(picked(text)).toEqual(parsed(text));
      }),
      { seed: 1, numRuns: 3_000 },
    );
  });

  it.each([
    '{"a":1,"a":2}',
    '{"b":{"a":1},"b":{"e":2}}',
    '{"b":{"a":1},"b":3}',
    '{"b":{"cc":{"a":1}},"b":{"cc":null}}',
    '{"\\u0061":1,"b":{"\\u0065":"\\u00e9\\n"}}',
    '{"a\\u0000":1,"b":"\\ud83d\\ude00"}',
    '{"a":-0,"cc":-1.5E+3}',
    '{"a":0.1e-2,"b":{"a":1E5}}',
    '{"request":{"headers":[{"host":"no"}],"method":null}}',
    ' \t\r\n{ "a" : [ ] , "b" : { } } ',
    '{}',
    '[]',
    '[{"a":1}]',
    '1',
    '"a"',
    'null',
  ])('of %s is what JSON.parse puts there', (text) => {
    expect(parsed(text)).not.toBe('no JSON');
    expect(picked(text)).toEqual(parsed(text));
  });

  it.each([
    '',
    ' ',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    '{"a":1]',
    '{"a" 1}',
    '{a:1}',
    '{"a":1}{',
    '{"a":01}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":-}',
    '{"a":+1}',
    '{"a":1e}',
    '{"a":0x10}',
    '{"a":NaN}',
    '{"a":tru}',
    '{"x":nul}',
    '{"x":falsy}',
    '{"x":[1,]}',
    '{"x":[1}',
    '{"x":"\\x"}',
    '{"x":"\\u12g4"}',
    '{"x":"\\u12"}',
    '{"x":"\n"}',
    '{"x":"\u0000"}',
    '{"x":"',
    '{"x":"\\',
    '\ufeff{}',
    '{\u00a0}',
  ])('is nothing of %j, which is no JSON', (text) => {
    expect(parsed(text)).toBe('no JSON');
    expect(picked(text)).toBe('no JSON');
  });

  it('is there also where other things are nested as deep as Kong can nest them', () => {
    const depth = 1_000;
    expect(picked(`{"x":${'[{"y":'.repeat(depth)}1${'}]'.repeat(depth)},"a":5}`)).toMatchObject([5]);
  });

  it('is the same of recorded logs that were damaged anywhere (seed 1)', () => {
    const random = seededRandom(1);
    const logs = readdirSync(LOGS).map((name) => readFileSync(join(LOGS, name), 'utf8'));
    let readable = 0;
    for (const log of logs) {
      for (let round = 0; round < 200; round++) {
        const damaged = spoilBytes(Buffer.from(log), random).toString();
        if (TOO_DEEP.test(damaged)) continue;
        if (parsed(damaged) !== 'no JSON') readable += 1;
        expect({ damaged, picked: picked(damaged) }).toEqual({ damaged, picked: parsed(damaged) });
      }
    }
    expect(readable).toBeGreaterThan(logs.length);
  });
});
