import fc from 'fast-check';
import { RE2JS } from 're2js';
import { plainBeginning } from '../../../sidecar/config/plain-beginning';

describe('the plain beginning of an expression', () => {
  it.each([
    ['team-1-.*', 'team-1-'],
    ['checkout', 'checkout'],
    ['GET /pay', 'GET /pay'],
    ['carts?', 'cart'],
    ['v2+', 'v'],
    ['ab{2}', 'a'],
    ['v\\d+', 'v'],
    ['^shop', ''],
    ['(?i)shop', ''],
    ['info|warning', ''],
    ['team-(a|b)', ''],
    ['.*', ''],
    ['', ''],
  ])('of %s is "%s"', (expression, beginning) => {
    expect(plainBeginning(expression)).toBe(beginning);
  });

  it('is that of every text that the expression matches', () => {
    const expression = fc.string({
      unit: fc.constantFrom(
        'a',
        'b',
        '-',
        '.',
        '*',
        '+',
        '?',
        '|',
        '(',
        ')',
        '[',
        ']',
        '{1}',
        '\\d',
        '^',
        '$',
      ),
      maxLength: 8,
    });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '1', '?'), maxLength: 5 });
    fc.assert(
      fc.property(expression, text, (written, asked) => {
        fc.pre(isExpression(written));
        fc.pre(RE2JS.matches(written, asked));
        expect(asked.startsWith(plainBeginning(written))).toBe(true);
      }),
    );
  });
});

function isExpression(written: string): boolean {
  try {
    RE2JS.compile(written);
    return true;
  } catch {
    return false;
  }
}
