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
  let fault: Extract<Substituted, { ok: false }> | undefined;
  const values: string[] = [];
  const result = text.replace(/\$\$\{|\$\{([^}]*\})?/g, (whole, inside: string | undefined) => {
    if (whole === '$${') return '${';
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\}$/s.exec(inside ?? '');
    const [, name, standard] = match ?? [];
    if (name === undefined || standard?.includes('${')) {
      fault ??= { ok: false, expected: SYNTAX, found: 'something else after a ${' };
      return '';
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value !== undefined && value !== '') {
      values.push(value);
      return value;
    }
    if (standard !== undefined) return standard;
    if (value === undefined) {
      fault ??= {
        ok: false,
        expected: `the environment variable ${name} to be set, or a default as in \${${name}:-default}`,
        found: 'neither',
      };
    }
    return '';
  });
  return fault ?? { ok: true, text: result, values };
}

/** What a plain (unquoted) scalar means after substitution where a number is wanted: the number, or the text that is none. */
export function resolveNumber(text: string): number | string {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? Number(text) : text;
}
