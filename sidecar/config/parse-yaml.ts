// From a text to one YAML document and what is wrong with it as YAML. A fault never quotes the text: it may hold a secret.
// Nesting is measured before the document is composed, because composing recurses: where the stack ends while V8 compiles a
// regular expression, the process is aborted and nothing can be caught (seen on Node 20 with 20,000 levels in 40 kB).
import { Parser, parseDocument, visit, type CST, type Document, type LineCounter } from 'yaml';

/** Far more than a configuration has (rules and channels: 3). */
const MAX_NESTING = 20;

/** Fifty times the file that is shipped. What is longer is something else, and would take long to say so. */
const MAX_CHARACTERS = 256 * 1024;

/** The parser looks through the whole file for each. */
const MAX_ALIASES = 1_000;

export interface YamlFault {
  readonly offset: number;
  readonly expected: string;
  readonly found: string;
}

export interface ParsedYaml {
  readonly document: Document.Parsed;
  readonly faults: readonly YamlFault[];
}

/** Said instead of the parser's own messages where those quote the text. */
const UNQUOTED: Readonly<Record<string, string>> = {
  BAD_DIRECTIVE: 'a % line that is no directive',
  NON_STRING_KEY: 'a key that is not a text',
  BAD_DQ_ESCAPE: 'an unknown escape after a backslash',
  TAG_RESOLVE_FAILED: 'an unknown tag (!)',
  UNEXPECTED_TOKEN: 'something that cannot stand here',
};

/**
 * Never throws. With faults, the document is not to be used.
 *
 * @param lines told where each line starts; an offset in a fault is one of `text`
 */
export function parseYaml(text: string, lines: LineCounter): ParsedYaml {
  if (isTooLong(text)) {
    return refused(0, `a file of at most ${MAX_CHARACTERS} characters`, `one of ${text.length}`);
  }
  const tooDeep = offsetOfTooDeep(new Parser(lines.addNewLine).parse(text));
  if (tooDeep !== undefined) {
    return refused(tooDeep, `at most ${MAX_NESTING} levels of nesting`, 'more');
  }
  const document = parseDocument(text, {
    prettyErrors: false,
    // Also where the text says %YAML 1.1: no merge keys, no octal numbers, no `yes`.
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
  });
  const faults = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    offset: pos[0],
    expected: 'YAML',
    found: UNQUOTED[code] ?? message,
  }));
  return { document, faults: faults.length > 0 ? faults : checkAliases(document) };
}

/** Such a text is not read at all. */
export function isTooLong(text: string): boolean {
  return text.length > MAX_CHARACTERS;
}

function refused(offset: number, expected: string, found: string): ParsedYaml {
  return { document: parseDocument(''), faults: [{ offset, expected, found }] };
}

/** Aliases that have no anchor before them, or that are too many. */
function checkAliases(document: Document.Parsed): YamlFault[] {
  const faults: YamlFault[] = [];
  const anchors = new Set<string>();
  let aliases = 0;
  visit(document, {
    Alias(_key, { source, range }) {
      const offset = range?.[0] ?? 0;
      aliases += 1;
      if (aliases > MAX_ALIASES) {
        faults.push({ offset, expected: `at most ${MAX_ALIASES} aliases (*)`, found: 'more' });
        return visit.BREAK;
      }
      if (!anchors.has(source)) {
        const expected = 'an alias (*) of an anchor (&) before it';
        faults.push({ offset, expected, found: 'no such anchor' });
      }
      return undefined;
    },
    Value(_key, { anchor }) {
      if (anchor !== undefined) anchors.add(anchor);
    },
  });
  return faults;
}

/** Where the nesting is deeper than allowed. Walks a list of its own instead of calling itself. */
function offsetOfTooDeep(tokens: Iterable<CST.Token>): number | undefined {
  const open: { token: CST.Token; level: number }[] = [];
  for (const token of tokens) open.push({ token, level: 0 });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, level } = next;
    if (level > MAX_NESTING) return token.offset;
    if (token.type === 'document') {
      if (token.value) open.push({ token: token.value, level });
    } else if ('items' in token) {
      for (const { key, value } of token.items) {
        if (key) open.push({ token: key, level: level + 1 });
        if (value) open.push({ token: value, level: level + 1 });
      }
    }
  }
  return undefined;
}
