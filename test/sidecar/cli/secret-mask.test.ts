// What the mask takes out, however a receiver writes it, and what it leaves.
import fc from 'fast-check';
import { MARK, SecretMask } from '../../../sidecar/cli/secret-mask';
import { plainLine } from '../../../sidecar/cli/terminal-text';
import { Secret } from '../../../sidecar/config/secret';

const maskOf = (...secrets: string[]): SecretMask =>
  new SecretMask({ deep: [{ secrets: secrets.map((secret) => new Secret(secret)) }] });

/** How programs write a text into another. */
const WRITINGS: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => secret,
  'in capital letters': (secret) => secret.toUpperCase(),
  'as JSON': (secret) => JSON.stringify(secret),
  'as JSON with slashes escaped': (secret) => JSON.stringify(secret).replaceAll('/', '\\/'),
  'in an address': (secret) => encodeURIComponent(secret),
  'in an address, spaces as plus signs': (secret) => new URLSearchParams({ q: secret }).toString(),
  'as HTML': (secret) =>
    secret
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
  'in hexadecimal digits': (secret) => Buffer.from(secret).toString('hex'),
  'in Base64': (secret) => Buffer.from(secret).toString('base64'),
  'in Base64 behind a name': (secret) => Buffer.from(`user:${secret}`).toString('base64'),
  'in Base64 between zeros, as SMTP has it': (secret) =>
    Buffer.from(`\0gatewatch\0${secret}\0`).toString('base64'),
  'in Base64 for addresses': (secret) => Buffer.from(`x${secret}`).toString('base64url'),
};

/** No part of the mark or of what stands around. */
const secretText = fc
  .string({ unit: 'grapheme-ascii', minLength: 6, maxLength: 80 })
  .filter((text) => /^[!-~][ -~]*[!-~]$/.test(text) && !/secret|^[<.,>]/i.test(text));

describe('a mask of secrets', () => {
  it.each(Object.entries(WRITINGS))('hides a secret that is written %s', (_name, write) => {
    fc.assert(
      fc.property(
        secretText,
        fc.string({ unit: fc.constantFrom(' ', '.', ',', '\n'), maxLength: 9 }),
        (secret, around) => {
          const written = write(secret);
          const shown = maskOf(secret).hide(`${around} ${written} ${around}`);
          expect(shown).toContain(MARK);
          const left = shown.replaceAll(MARK, '').toLowerCase();
          expect(left).not.toContain(secret.toLowerCase());
          // Around Base64 a character may tell two bits of a secret, but not a part of it.
          expect(left.replace(/[\s.,"=]|^q|user/g, '').length).toBeLessThan(4);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('hides what overlaps as one, and every time that it comes', () => {
    expect(maskOf('abcdXY', 'XYefgh').hide('1 abcdXYefgh 2 abcdXY 3')).toBe(`1 ${MARK} 2 ${MARK} 3`);
    expect(maskOf('abab').hide('ababab!')).toBe(`${MARK}!`);
    expect(maskOf('abcd').hide('abcdabcd')).toBe(MARK);
  });

  it('hides a short secret only where it is a word, and leaves what is none', () => {
    const mask = maskOf('ab', 'pass');
    expect(mask.hide('ab about cab (ab) passport')).toBe(`${MARK} about cab (${MARK}) ${MARK}port`);
    expect(maskOf('').hide('nothing')).toBe('nothing');
    expect(new SecretMask(undefined).hide('nothing')).toBe('nothing');
  });

  it('hides of an address all but its host, and of a name and a password only the password', () => {
    const mask = maskOf('https://ada:wonder%20land@hooks.example/services/T0/aB3xY9zQ7w?key=k3y4&short=1#x');
    expect(mask.hide('ada at hooks.example: /services/T0/aB3xY9zQ7w?key=k3y4')).not.toMatch(
      /services|aB3|k3y4/,
    );
    for (const part of [
      'wonder land',
      'wonder%20land',
      'aB3xY9zQ7w',
      'k3y4',
      'services',
      'YWRhOndvbmRlciBsYW5k',
    ])
      expect([part, mask.hide(`(${part})`)]).toEqual([part, `(${MARK})`]);
    expect(mask.hide('ada, hooks.example, T0')).toBe('ada, hooks.example, T0');
    expect(maskOf('https://0123456789abcdef@o1.ingest.example/7').hide('?sentry_key=0123456789abcdef')).toBe(
      `?sentry_key=${MARK}`,
    );
  });

  it('shows of an address that is spoken to the host, and the rest only where it is no secret', () => {
    const mask = maskOf('https://hooks.example/a?b=c', 'https://ada:wonderland@other.example', 'xoxb-token');
    expect(mask.hideAddress('https://hooks.example/a?b=c&wait=true')).toBe(`https://hooks.example/${MARK}`);
    expect(mask.hideAddress('https://ada:wonderland@other.example/api/v2/alerts')).toBe(
      'https://other.example/api/v2/alerts',
    );
    expect(mask.hideAddress('https://slack.com/api/xoxb-token')).toBe(`https://slack.com/api/${MARK}`);
    expect(mask.hideAddress('no address')).toBe(MARK);
  });

  it('hides the beginning of a secret at which an answer was cut off', () => {
    fc.assert(
      fc.property(secretText, fc.nat(), (secret, cut) => {
        const length = 4 + (cut % (secret.length - 4));
        const shown = maskOf(secret).hideCut(plainLine(`... ${secret.slice(0, length)}`));
        expect(shown).toBe(`... ${MARK}`);
      }),
      { numRuns: 200 },
    );
    expect(maskOf('abcdef').hideCut('abcdef and ab')).toBe(`${MARK} and ab`);
  });

  it('takes out one that begins and ends alike whole where the text ends with it', () => {
    expect(maskOf('ooku-middle-ooku').hideCut('it is ooku-middle-ooku')).toBe(`it is ${MARK}`);
  });
});
