// In: a text that is no YAML. Out: where in it a variable stands without quotes inside [...] or {...}, where YAML takes the
// brace of `${NAME}` for one of its own and complains of all that follows; and the text with those variables blanked out, of the
// same length and with the same lines, in which only the other faults are left.
import { Lexer } from 'yaml';

/** What the lexer puts between the pieces of the text: the start of a document, of a scalar, and the end of an open flow. */
const MARKS = new Set(['\u0002', '\u0018', '\u001f']);

export interface UnquotedVariables {
  readonly offsets: readonly number[];
  readonly blanked: string;
}

export function findUnquotedVariables(text: string): UnquotedVariables {
  const offsets: number[] = [];
  let blanked = '';
  let offset = 0;
  let before = '';
  let startsAt: number | undefined;
  for (const piece of new Lexer().lex(text)) {
    if (MARKS.has(piece)) continue;
    // Outside of [...] and {...} the brace is part of the same piece.
    if (piece === '{' && before.endsWith('$')) startsAt ??= offset - 1;
    offset += piece.length;
    before = piece;
    if (piece.includes('\n')) startsAt = undefined;
    if (piece !== '}' || startsAt === undefined) continue;
    offsets.push(startsAt);
    blanked += text.slice(blanked.length, startsAt) + 'x'.repeat(offset - startsAt);
    startsAt = undefined;
  }
  return { offsets, blanked: blanked + text.slice(blanked.length) };
}
