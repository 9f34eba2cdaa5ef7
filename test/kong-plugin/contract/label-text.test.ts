import fc from 'fast-check';
import { MAX_LABEL_BYTES, labelText } from '../../../kong-plugin/contract/label-text';

const anyText = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.string({ unit: 'binary', minLength: 60, maxLength: 400 }),
  fc.string({ unit: fc.constantFrom('a', 'é', '€', '🙂', '\u0000', '\ud800'), maxLength: 300 }),
);

describe('a label', () => {
  it('is what was given, where that is a name', () => {
    for (const name of ['', 'orders', 'GET /a "b" \\c', 'größe', '注文', '👩‍👧', 'می‌خواهم', 'x'.repeat(256)])
      expect(labelText(name)).toBe(name);
  });

  it('shows control characters by their pictures, and keeps names apart that differ in one', () => {
    expect(labelText('a\nb\0c\x1b[31m\x7f')).toBe('a␊b␀c␛[31m␡');
    expect(labelText('a\u0085b\u2028c\u202ed')).toBe('a\ufffdb\ufffdc\ufffdd');
  });

  it('has whole characters only', () => {
    expect(labelText('a\ud800b\udc00')).toBe('a\ufffdb\ufffd');
  });

  it('ends in a hash of the whole where it was cut, so that long names of one beginning stay apart', () => {
    const [one, other] = ['1', '2'].map((end) => labelText('x'.repeat(64 * 1024) + end));
    expect(one).toMatch(/^x{241}…[0-9a-f]{12}$/);
    expect(other).toMatch(/^x{241}…[0-9a-f]{12}$/);
    expect(one).not.toBe(other);
  });

  it('is never cut within a character', () => {
    for (let before = 0; before < 4; before++) {
      const cut = labelText('x'.repeat(before) + '🙂'.repeat(100));
      expect(cut.isWellFormed()).toBe(true);
      expect(cut).toMatch(/^x*(🙂){59,60}…[0-9a-f]{12}$/u);
      expect(Buffer.byteLength(cut)).toBeGreaterThan(MAX_LABEL_BYTES - 4);
    }
  });

  it('is bounded, well formed and printable whatever is given, and a label stays as it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const label = labelText(text);
        expect(Buffer.byteLength(label)).toBeLessThanOrEqual(MAX_LABEL_BYTES);
        expect(label.isWellFormed()).toBe(true);
        expect(label).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u);
        expect(labelText(label)).toBe(label);
        expect(label === '').toBe(text === '');
      }),
      { numRuns: 3_000, seed: 14 },
    );
  });
});
