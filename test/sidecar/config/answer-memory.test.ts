import fc from 'fast-check';
import { AnswerMemory } from '../../../sidecar/config/answer-memory';

/** A test that counts how often it is asked. */
function counted(passes: (text: string) => boolean) {
  const asked: string[] = [];
  const test = (text: string): boolean => {
    asked.push(text);
    return passes(text);
  };
  return { asked, test };
}

function texts(count: number, prefix = 'service'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

describe('an answer memory', () => {
  it('asks each test once for each text, however often and in which order it is asked', () => {
    const isLong = counted((text) => text.length > 9);
    const isOne = counted((text) => text.endsWith('1'));
    const memory = new AnswerMemory(100);
    const [long, one] = [memory.remembering(isLong.test), memory.remembering(isOne.test)];
    const all = texts(100);
    for (const text of [...all, ...all.toReversed()]) {
      expect(long(text)).toBe(text.length > 9);
      expect(one(text)).toBe(text.endsWith('1'));
    }
    expect(isLong.asked).toEqual(all);
    expect(isOne.asked).toEqual(all);
  });

  it('asks in a round only for the texts that have no room, where there are a few too many', () => {
    const { asked, test } = counted(() => true);
    const remembering = new AnswerMemory(1_000).remembering(test);
    texts(1_010).forEach(remembering);
    asked.length = 0;
    texts(1_010).forEach(remembering);
    expect(asked).toEqual(texts(1_010).slice(1_000));
  });

  it('makes room for new texts once the old ones are gone', () => {
    const { asked, test } = counted(() => false);
    const remembering = new AnswerMemory(10).remembering(test);
    texts(10, 'old').forEach(remembering);
    for (let round = 0; round < 3; round += 1) texts(10, 'new').forEach(remembering);
    asked.length = 0;
    texts(10, 'new').forEach(remembering);
    expect(asked).toEqual([]);
  });

  it('never answers otherwise than the tests themselves', () => {
    const questions = fc.array(
      fc.tuple(fc.nat(2), fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 })),
      {
        maxLength: 200,
      },
    );
    fc.assert(
      fc.property(questions, fc.integer({ min: 1, max: 8 }), (asked, mostTexts) => {
        const memory = new AnswerMemory(mostTexts);
        const tests = ['a', 'ab', 'b'].map((part) => (text: string) => text.includes(part));
        const remembering = tests.map((test) => memory.remembering(test));
        for (const [index, text] of asked) expect(remembering[index]?.(text)).toBe(tests[index]?.(text));
      }),
    );
  });
});
