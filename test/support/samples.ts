// Reads the text format of Prometheus, as far as tests need it.

export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const UNESCAPED: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/** @throws for a line that is neither a comment nor a sample */
export function parseSamples(text: string): ScrapedSample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const match = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s.exec(line);
      if (!match) throw new Error(`no sample: ${line}`);
      const [, name = '', inner = '', value = ''] = match;
      const labels = Object.fromEntries(
        [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', escaped = '']) => [
          label,
          escaped.replace(/\\[n"\\]/g, (pair) => UNESCAPED[pair] ?? pair),
        ]),
      );
      return { name, labels, value: value === '+Inf' ? Infinity : Number(value) };
    });
}

/** The sum over all samples of a name that have these labels. */
export function sumOf(
  samples: readonly ScrapedSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
