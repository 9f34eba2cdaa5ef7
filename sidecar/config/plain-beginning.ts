// What every text that an expression matches begins with, as far as that is plain to see: `team-1-` of `team-1-.*`. Most of what an
// expression does not match is told apart by it, at a hundredth of the price.

/** Characters that stand for themselves in every expression. */
const PLAIN = /^[\w \-/:,;@%&~]*/;

/** Of the character before it there may be none. */
const QUANTIFIER = /^[*+?{]/;

/** @param expression in RE2's syntax, anchored */
export function plainBeginning(expression: string): string {
  // Each side of an alternative has a beginning of its own.
  if (expression.includes('|')) return '';
  const [beginning = ''] = PLAIN.exec(expression) ?? [];
  return QUANTIFIER.test(expression.slice(beginning.length)) ? beginning.slice(0, -1) : beginning;
}
