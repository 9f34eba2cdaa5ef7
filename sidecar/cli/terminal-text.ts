// Text for a terminal. What comes from the sidecar may hold anything, since names come from Kong: control characters, with which it could
// drive the terminal, become spaces. A width is in characters; wide ones count as one.

export type Paint = 'critical' | 'error' | 'warning' | 'info' | 'good' | 'dim' | 'bold';

/** SGR codes: https://www.ecma-international.org/publications-and-standards/standards/ecma-48/ */
const CODES: Readonly<Record<Paint, string>> = {
  critical: '1;31',
  error: '31',
  warning: '33',
  info: '36',
  good: '32',
  dim: '2',
  bold: '1',
};

export interface Cell {
  readonly text: string;
  readonly paint?: Paint;
}

/** One line of a text that may hold anything. */
export function plainLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ');
}

export function paint(text: string, how: Paint | undefined, hasColors: boolean): string {
  return how === undefined || !hasColors || text === '' ? text : `\x1b[${CODES[how]}m${text}\x1b[0m`;
}

export interface TableOptions {
  /** `undefined`: lines may be as long as they like. */
  readonly columns: number | undefined;
  readonly hasColors: boolean;
}

/** Below it a table is wider than it should be. */
const NARROWEST_LAST = 24;

/** Every column as wide as its widest cell, two spaces between; the last one is wrapped between words, to stay within `columns`. */
export function renderRows(rows: readonly (readonly Cell[])[], options: TableOptions): string[] {
  const plain = rows.map((row) => row.map((cell) => ({ ...cell, text: plainLine(cell.text) })));
  const widths: number[] = [];
  for (const row of plain)
    row.slice(0, -1).forEach(({ text }, column) => {
      widths[column] = Math.max(widths[column] ?? 0, lengthOf(text));
    });
  const before = widths.reduce((sum, width) => sum + width + 2, 0);
  const room = options.columns === undefined ? Infinity : Math.max(NARROWEST_LAST, options.columns - before);
  return plain.flatMap((row) => {
    const start = row
      .slice(0, -1)
      .map(({ text, paint: how }, column) => {
        const rest = ' '.repeat((widths[column] ?? 0) - lengthOf(text) + 2);
        return paint(text, how, options.hasColors) + rest;
      })
      .join('');
    const last = row.at(-1);
    const [first = '', ...others] = wrap(last?.text ?? '', room).map((line) =>
      paint(line, last?.paint, options.hasColors),
    );
    return [`${start}${first}`.trimEnd(), ...others.map((line) => ' '.repeat(before) + line)];
  });
}

/** Between words; one that is longer than a line is left whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && lengthOf(line) + 1 + lengthOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
