// In: a Lua 5.1 pattern, as `match` and `not_match` of a schema hold it. Out: the same as a regular expression.
// Not covered: `%b` (balanced), `%f` (frontier) and back references: these are refused with an error.

const CLASSES: Readonly<Record<string, string>> = {
  a: 'A-Za-z',
  d: '0-9',
  l: 'a-z',
  s: ' \\t\\n\\v\\f\\r',
  u: 'A-Z',
  w: 'A-Za-z0-9',
  x: 'A-Fa-f0-9',
  p: '!-\\/:-@\\[-`{-~',
  c: '\\x00-\\x1f\\x7f',
};

/** @throws Error when the pattern uses what is not covered */
export function luaPatternToRegExp(pattern: string): RegExp {
  let source = '';
  let index = 0;
  if (pattern.startsWith('^')) {
    source = '^';
    index = 1;
  }
  while (index < pattern.length) {
    const character = pattern.charAt(index);
    if (character === '%') {
      source += escapedClass(pattern, pattern.charAt(index + 1), false);
      index += 2;
    } else if (character === '[') {
      const set = readSet(pattern, index);
      source += set.source;
      index = set.end;
    } else {
      if (character === '$' && index === pattern.length - 1) source += '$';
      else if (character === '-') source += '*?';
      else if ('.*+?()'.includes(character)) source += character;
      else source += escapeLiteral(character);
      index += 1;
    }
  }
  return new RegExp(source, 's');
}

function readSet(pattern: string, start: number): { source: string; end: number } {
  let index = start + 1;
  let source = '[';
  if (pattern.charAt(index) === '^') {
    source += '^';
    index += 1;
  }
  const first = index;
  while (index < pattern.length && (pattern.charAt(index) !== ']' || index === first)) {
    const character = pattern.charAt(index);
    if (character === '%') {
      source += escapedClass(pattern, pattern.charAt(index + 1), true);
      index += 2;
    } else {
      source += character === '-' ? '-' : escapeLiteral(character);
      index += 1;
    }
  }
  if (index >= pattern.length) throw new Error(`Lua pattern "${pattern}": missing "]"`);
  return { source: `${source}]`, end: index + 1 };
}

function escapedClass(pattern: string, letter: string, inSet: boolean): string {
  const members = CLASSES[letter.toLowerCase()];
  if (members !== undefined) {
    const negated = letter !== letter.toLowerCase();
    if (!inSet) return `[${negated ? '^' : ''}${members}]`;
    if (!negated) return members;
  }
  if (letter === '' || /[A-Za-z0-9]/.test(letter)) {
    throw new Error(`Lua pattern "${pattern}": %${letter} is not supported here`);
  }
  return escapeLiteral(letter);
}

function escapeLiteral(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}
