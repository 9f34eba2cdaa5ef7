// One thing that is wrong with a configuration file, and where.

export interface ConfigFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Such as `rules[0].window`; empty for the file as a whole. */
  readonly path: string;
  readonly expected: string;
  /** Never a secret. */
  readonly found: string;
}

/** `gatewatch.yml:12:13: rules[0].window: expected a duration such as 30s or 5m, found "fast"` */
export function renderFault({ file, line, column, path, expected, found }: ConfigFault): string {
  const place = path === '' ? '' : ` ${path}:`;
  return `${file}:${line}:${column}:${place} expected ${expected}, found ${found}`;
}
