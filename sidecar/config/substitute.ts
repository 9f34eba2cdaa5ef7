// `${NAME}` and `${NAME:-default}` in a text, as a shell has them; `$${` stands for `${`. The default is used where the variable
// is unset or empty; it cannot hold a variable itself. What comes out is text: it is never read as YAML again, so a variable
// cannot add keys.

export type Substituted =
  | {
      readonly ok: true;
      readonly text: string;
      /** What the variables had in them. */
      readonly values: readonly string[];
    }
  | { readonly ok: false; readonly expected: string; readonly found: string };

const SYNTAX = '${NAME} or ${NAME:-default}; write $${ for a plain ${';

export function substitute(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Substituted {
  const values: string[] = [];
  let result = '';
  let doneUpTo = 0;
  // Ends at the first fault: to look for a brace behind each of many ${ that have none would take the square of their number.
  for (const { 0: whole, 1: inside, index } of text.matchAll(/\$\$\{|\$\{([^}]*\})?/g)) {
    result += text.slice(doneUpTo, index);
    doneUpTo = index + whole.length;
    if (whole === '$${') {
      result += '${';
      continue;
    }
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\}$/s.exec(inside ?? '');
    const [, name, standard] = match ?? [];
    if (name === undefined || standard?.includes('${')) {
      return { ok: false, expected: SYNTAX, found: 'something else after a ${' };
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value !== undefined && value !== '') {
      values.push(value);
      result += value;
    } else if (standard !== undefined) {
      result += standard;
    } else if (value === undefined) {
      return {
        ok: false,
        expected: `the environment variable ${name} to be set, or a default as in \${${name}:-default}`,
        found: 'neither',
      };
    }
  }
  return { ok: true, text: result + text.slice(doneUpTo), values };
}

/** What a plain (unquoted) scalar means after substitution where a number is wanted: the number, or the text that is none. */
export function resolveNumber(text: string): number | string {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? Number(text) : text;
}
