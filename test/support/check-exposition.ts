// Reads the text format of Prometheus as it comes, line by line and strictly, since an answer may be longer than a string can
// be. In: the bytes. Out: what is wrong with them, and sums. The grammar is that of "Exposition formats, text-based format".
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { MAX_LABEL_BYTES } from '../../kong-plugin/contract/label-text';

/** The first faults are enough. */
const MOST_FAULTS = 10;

const COMMENT = /^# (HELP|TYPE) ([A-Za-z_:][\w:]*) (.+)$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"/y;
const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf|NaN)$/s;
const TYPES = ['counter', 'gauge', 'histogram'];

export interface CheckedExposition {
  readonly faults: readonly string[];
  readonly bytes: number;
  readonly samples: number;
  /** Values of counters and of parts of histograms, by the family and a hash of the whole name. */
  readonly counters: ReadonlyMap<string, number>;
  /** Over all samples of a name that the filter takes. */
  sumOf(name: string): number;
  /** The same by the value of one label. */
  sumsBy(name: string, label: string): ReadonlyMap<string, number>;
}

/** @param by the names and labels that `sumsBy` will be asked for */
export async function checkExposition(
  chunks: AsyncIterable<Uint8Array>,
  by: readonly (readonly [name: string, label: string])[] = [],
): Promise<CheckedExposition> {
  const checker = new Checker(by);
  const lines = createInterface({ input: Readable.from(decoded(chunks, checker)), crlfDelay: Infinity });
  for await (const line of lines) checker.take(line);
  checker.end();
  return checker;
}

async function* decoded(chunks: AsyncIterable<Uint8Array>, checker: Checker): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of chunks) {
    checker.bytes += chunk.length;
    yield decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
}

class Checker implements CheckedExposition {
  readonly faults: string[] = [];
  bytes = 0;
  samples = 0;
  readonly #by: readonly (readonly [string, string])[];
  readonly #types = new Map<string, string>();
  readonly counters = new Map<string, number>();
  readonly #seen = new Set<string>();
  readonly #sums = new Map<string, number>();
  readonly #sumsBy = new Map<string, Map<string, number>>();
  #family = '';
  /** The bucket before, of one histogram: its labels without `le`, and its count. */
  #bucket = { series: '', count: 0 };

  constructor(by: readonly (readonly [string, string])[]) {
    this.#by = by;
  }

  sumOf(name: string): number {
    return this.#sums.get(name) ?? 0;
  }

  sumsBy(name: string, label: string): ReadonlyMap<string, number> {
    return this.#sumsBy.get(`${name} ${label}`) ?? new Map<string, number>();
  }

  take(line: string): void {
    const comment = COMMENT.exec(line);
    if (comment) this.#takeComment(line, comment[1] ?? '', comment[2] ?? '', comment[3] ?? '');
    else this.#takeSample(line);
  }

  end(): void {
    if (this.samples === 0) this.#fault('nothing', 'no sample');
  }

  #takeComment(line: string, kind: string, family: string, rest: string): void {
    if (kind === 'HELP') {
      if (this.#types.has(family)) this.#fault(line, 'a family in two places');
      return;
    }
    if (!TYPES.includes(rest)) this.#fault(line, 'an unknown type');
    if (this.#types.has(family)) this.#fault(line, 'a type said twice');
    this.#types.set(family, rest);
    this.#family = family;
  }

  #takeSample(line: string): void {
    const match = SAMPLE.exec(line);
    if (!match) {
      this.#fault(line, 'no sample');
      return;
    }
    const [, name = '', inner = '', text = ''] = match;
    this.samples += 1;
    const labels = this.#labelsOf(line, inner);
    const type = this.#types.get(this.#family);
    const suffix = name.slice(this.#family.length);
    const fits = type === 'histogram' ? ['_bucket', '_sum', '_count'].includes(suffix) : suffix === '';
    if (!name.startsWith(this.#family) || !fits) this.#fault(line, `not of the family ${this.#family}`);
    const value = text === '+Inf' ? Infinity : Number(text);
    if (type !== 'gauge' && !(value >= 0)) this.#fault(line, 'a count below zero');

    // A hash: the lines themselves would fill the memory of the test.
    const key = createHash('md5').update(name).update(inner).digest('base64');
    if (this.#seen.has(key)) this.#fault(line, 'a sample twice');
    this.#seen.add(key);
    if (type !== 'gauge') this.counters.set(`${this.#family} ${key}`, value);
    if (type === 'histogram') this.#takeHistogram(line, suffix, labels, value);

    this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
    for (const [ofName, label] of this.#by) {
      if (ofName !== name) continue;
      const sums = this.#sumsBy.get(`${name} ${label}`) ?? new Map<string, number>();
      this.#sumsBy.set(`${name} ${label}`, sums);
      const word = labels.get(label) ?? '';
      sums.set(word, (sums.get(word) ?? 0) + value);
    }
  }

  #labelsOf(line: string, inner: string): ReadonlyMap<string, string> {
    const labels = new Map<string, string>();
    let at = 0;
    while (at < inner.length) {
      LABEL.lastIndex = at;
      const match = LABEL.exec(inner);
      if (!match) {
        this.#fault(line, 'no label');
        break;
      }
      const [whole, name = '', escaped = ''] = match;
      const value = escaped.replace(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
      if (labels.has(name)) this.#fault(line, `the label ${name} twice`);
      if (Buffer.byteLength(value) > MAX_LABEL_BYTES) this.#fault(line, `${name} is too long`);
      if (/\p{Cc}/u.test(value)) this.#fault(line, `a control character in ${name}`);
      labels.set(name, value);
      at += whole.length;
      if (at < inner.length && inner[at++] !== ',') this.#fault(line, 'labels without a comma');
    }
    return labels;
  }

  #takeHistogram(line: string, suffix: string, labels: ReadonlyMap<string, string>, value: number): void {
    const series = JSON.stringify([...labels].filter(([name]) => name !== 'le'));
    if (suffix === '_sum') return;
    const before = this.#bucket.series === series ? this.#bucket.count : 0;
    if (value < before || (suffix === '_count' && value !== before)) {
      this.#fault(line, `${before} in the bucket before`);
    }
    this.#bucket = { series: suffix === '_count' ? '' : series, count: value };
  }

  #fault(line: string, what: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(`${what}: ${line.slice(0, 300)}`);
  }
}
