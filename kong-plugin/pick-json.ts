// From JSON bytes to the few values that somebody wants of them. The rest is checked as strictly as JSON.parse checks it and
// passed over where it lies: a Kong log has over a hundred fields, of which a dozen are read, for every request.
//
// The law: for every text, a value that is picked is the one that JSON.parse would have put there, and where JSON.parse throws,
// this throws. (The other way round it may throw for a text that is nested deeper than the stack is.)

/** Wanted fields by the length of their names, by which nearly all other names are told apart from them. */
type Fields = readonly (readonly Field[])[];

interface Field {
  readonly name: string;
  readonly bytes: Buffer;
  /** What is picked here and below goes into these places. */
  readonly firstPlace: number;
  readonly endPlace: number;
  /** `undefined` where the value itself is wanted. */
  readonly within: Fields | undefined;
}

/** The names of the fields that lead to a value. ASCII; none is the beginning of another. */
export type Path = readonly string[];

/**
 * @returns a function that gives the values at the paths, in their order, `undefined` for what is not there; `undefined` in
 *   place of all where the JSON is no object
 */
export function jsonPicker(paths: readonly Path[]): (json: Buffer) => unknown[] | undefined {
  const fields = fieldsOf(paths, 0, 0);
  return (json) => {
    const begin = passSpace(json, 0);
    const values = json[begin] === OPEN_BRACE ? paths.map(() => undefined) : undefined;
    const end = values ? readObject(json, begin, fields, values) : passValue(json, begin);
    if (passSpace(json, end) !== json.length) throw notJson(end);
    return values;
  };
}

/** Paths that begin alike must follow each other. */
function fieldsOf(paths: readonly Path[], depth: number, firstPlace: number): Fields {
  const byLength: Field[][] = [];
  for (let from = 0; from < paths.length;) {
    const name = paths[from]?.[depth] ?? '';
    let to = from + 1;
    while (paths[to]?.[depth] === name) to += 1;
    const isValue = paths[from]?.length === depth + 1;
    while (byLength.length <= name.length) byLength.push([]);
    byLength[name.length]?.push({
      name,
      bytes: Buffer.from(name),
      firstPlace: firstPlace + from,
      endPlace: firstPlace + to,
      within: isValue ? undefined : fieldsOf(paths.slice(from, to), depth + 1, firstPlace + from),
    });
    from = to;
  }
  return byLength;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LETTER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/** 1 for a byte that means itself in a text. */
const PLAIN = new Uint8Array(256).fill(1, SPACE);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** Of so many digits a whole number is read by hand. */
const FEW_DIGITS = 9;

/** Each reader gets the place at which its part begins, and gives that behind it. */
function readObject(json: Buffer, begin: number, fields: Fields, values: unknown[]): number {
  let at = passSpace(json, begin + 1);
  if (json[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    const nameAt = at;
    const escapesBefore = escapes;
    at = passText(json, at);
    const field =
      escapes === escapesBefore
        ? fieldAt(json, nameAt + 1, at - 1, fields)
        : fieldNamed(JSON.parse(json.toString('utf8', nameAt, at)), fields);
    at = passSpace(json, at);
    if (json[at] !== COLON) throw notJson(at);
    at = passSpace(json, at + 1);
    if (field === undefined) at = passValue(json, at);
    else {
      // Of two fields of one name the last one holds.
      for (let place = field.firstPlace; place < field.endPlace; place++) values[place] = undefined;
      if (field.within === undefined) at = readValue(json, at, values, field.firstPlace);
      else if (json[at] === OPEN_BRACE) at = readObject(json, at, field.within, values);
      else at = passValue(json, at);
    }
    at = passSpace(json, at);
    if (json[at] === CLOSE_BRACE) return at + 1;
    if (json[at] !== COMMA) throw notJson(at);
    at = passSpace(json, at + 1);
  }
}

function fieldAt(json: Buffer, begin: number, end: number, fields: Fields): Field | undefined {
  const length = end - begin;
  const candidates = length < fields.length ? fields[length] : undefined;
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) if (isAt(json, begin, candidate.bytes)) return candidate;
  return undefined;
}

function fieldNamed(name: unknown, fields: Fields): Field | undefined {
  return fields.flat().find((field) => field.name === name);
}

function readValue(json: Buffer, begin: number, values: unknown[], place: number): number {
  const escapesBefore = escapes;
  const end = passValue(json, begin);
  const head = json[begin] ?? 0;
  if (head === QUOTE && escapes === escapesBefore) {
    values[place] = json.toString('utf8', begin + 1, end - 1);
  } else if (head >= ZERO && head <= NINE) {
    values[place] = wholeNumber(json, begin, end) ?? Number(json.toString('latin1', begin, end));
  } else {
    values[place] = JSON.parse(json.toString('utf8', begin, end));
  }
  return end;
}

function wholeNumber(json: Buffer, begin: number, end: number): number | undefined {
  if (end - begin > FEW_DIGITS) return undefined;
  let value = 0;
  for (let at = begin; at < end; at++) {
    const digit = (json[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

function passValue(json: Buffer, at: number): number {
  const head = json[at];
  if (head === QUOTE) return passText(json, at);
  if (head === OPEN_BRACE) return passObject(json, at);
  if (head === OPEN_BRACKET) return passList(json, at);
  if (head === MINUS || (head !== undefined && head >= ZERO && head <= NINE)) return passNumber(json, at);
  for (const word of WORDS) if (isAt(json, at, word)) return at + word.length;
  throw notJson(at);
}

const WORDS = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')];

function passObject(json: Buffer, begin: number): number {
  let at = passSpace(json, begin + 1);
  if (json[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    at = passSpace(json, passText(json, at));
    if (json[at] !== COLON) throw notJson(at);
    at = passSpace(json, passValue(json, passSpace(json, at + 1)));
    if (json[at] === CLOSE_BRACE) return at + 1;
    if (json[at] !== COMMA) throw notJson(at);
    at = passSpace(json, at + 1);
  }
}

function passList(json: Buffer, begin: number): number {
  let at = passSpace(json, begin + 1);
  if (json[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = passSpace(json, passValue(json, at));
    if (json[at] === CLOSE_BRACKET) return at + 1;
    if (json[at] !== COMMA) throw notJson(at);
    at = passSpace(json, at + 1);
  }
}

function passText(json: Buffer, begin: number): number {
  if (json[begin] !== QUOTE) throw notJson(begin);
  let at = begin + 1;
  for (;;) {
    while (PLAIN[json[at] as number] === 1) at++;
    if (json[at] === QUOTE) return at + 1;
    if (json[at] !== BACKSLASH) throw notJson(at);
    at = passEscape(json, at);
  }
}

/** How many were passed: the same before and after a text that has none. */
let escapes = 0;

const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));
const HEXADECIMAL = /^[\da-f]{4}$/i;

function passEscape(json: Buffer, at: number): number {
  escapes += 1;
  const escaped = json[at + 1] ?? 0;
  if (ESCAPED.has(escaped)) return at + 2;
  if (escaped !== LETTER_U || !HEXADECIMAL.test(json.toString('latin1', at + 2, at + 6))) throw notJson(at);
  return at + 6;
}

function passNumber(json: Buffer, begin: number): number {
  let at = json[begin] === MINUS ? begin + 1 : begin;
  at = json[at] === ZERO ? at + 1 : passDigits(json, at);
  if (json[at] === DOT) at = passDigits(json, at + 1);
  const exponent = json[at];
  if (exponent !== 0x65 && exponent !== 0x45) return at;
  const sign = json[at + 1];
  return passDigits(json, sign === 0x2b || sign === MINUS ? at + 2 : at + 1);
}

/** At least one. */
function passDigits(json: Buffer, begin: number): number {
  let at = begin;
  while (isDigit(json[at])) at++;
  if (at === begin) throw notJson(at);
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** Kong writes none. */
function passSpace(json: Buffer, begin: number): number {
  const byte = json[begin];
  return byte !== undefined && byte <= SPACE ? passManySpaces(json, begin) : begin;
}

function passManySpaces(json: Buffer, begin: number): number {
  let at = begin;
  while (SPACES.includes(json[at] ?? 0)) at++;
  return at;
}

const SPACES = Buffer.from(' \t\n\r');

function isAt(json: Buffer, at: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (json[at + index] !== expected[index]) return false;
  }
  return true;
}

function notJson(at: number): Error {
  return new SyntaxError(`no JSON at byte ${at}`);
}
