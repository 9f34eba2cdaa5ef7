// `${NAME}` and `${NAME:-default}` in a text, as a shell has them; `$${` stands for `${`. The default is used where the variable
// is unset or empty. What comes out is text: it is never read as YAML again, so a variable cannot add keys.

export type Substituted =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly expected: string; readonly found: string };

export function substitute(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Substituted {
  let fault: Extract<Substituted, { ok: false }> | undefined;
  const result = text.replace(/\$\$\{|\$\{([^}]*)\}|\$\{/g, (whole, inside: string | undefined) => {
    if (whole === '$${') return '${';
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside ?? '');
    const [, name, standard] = match ?? [];
    if (name === undefined) {
      fault ??= {
        ok: false,
        expected: '${NAME} or ${NAME:-default}; write $${ for a plain ${',
        found: JSON.stringify(whole),
      };
      return '';
    }
    const value = environment[name];
    if (value !== undefined && value !== '') return value;
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
  return fault ?? { ok: true, text: result };
}

/** What a plain (unquoted) scalar means after substitution: a number, a truth value, nothing, or a text. */
export function resolvePlain(text: string): unknown {
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text === '' || text === 'null' || text === '~' ? null : text;
}
