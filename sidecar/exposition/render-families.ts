// From metric families to text, in the two formats that Prometheus asks for: its own text format 0.0.4 and OpenMetrics 1.0.0.
// They differ here in the name of a counter's family (without `_total` in OpenMetrics), in the bounds of buckets (`1.0` where
// the text format has `1`), in the escaping of HELP and in the last line.
//
// The text comes in chunks: at the series cap and with the longest names the whole is longer than a string may be.
import type { BucketSample, Labels, MetricFamily } from './metric-family';

export type ExpositionFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Characters after which a chunk ends, at the next whole sample. */
const CHUNK_LENGTH = 64 * 1024;

/** The text, in chunks of whole lines. */
export function* renderFamilies(
  families: readonly MetricFamily[],
  format: ExpositionFormat,
): Generator<string> {
  let chunk = '';
  for (const lines of renderLines(families, format)) {
    chunk += lines;
    if (chunk.length < CHUNK_LENGTH) continue;
    yield chunk;
    chunk = '';
  }
  yield format === 'openmetrics' ? `${chunk}# EOF\n` : chunk;
}

/** Of a family its head, then each sample, every line with its end. */
function* renderLines(families: readonly MetricFamily[], format: ExpositionFormat): Generator<string> {
  for (const family of families) {
    const name =
      format === 'openmetrics' && family.type === 'counter'
        ? family.name.replace(/_total$/, '')
        : family.name;
    yield `# HELP ${name} ${escapeHelp(family.help, format)}\n# TYPE ${name} ${family.type}\n`;
    if (family.type === 'histogram') {
      for (const sample of family.samples) yield renderBuckets(name, sample, format);
    } else {
      for (const { labels, value } of family.samples) {
        yield `${family.name}${renderLabels(labels)} ${renderNumber(value)}\n`;
      }
    }
  }
}

function renderBuckets(name: string, sample: BucketSample, format: ExpositionFormat): string {
  const { labels, bounds, counts, count, sum } = sample;
  let lines = '';
  const inner = renderPairs(labels);
  const prefix = inner === '' ? '' : `${inner},`;
  bounds.forEach((bound, index) => {
    lines += `${name}_bucket{${prefix}le="${renderBound(bound, format)}"} ${counts[index] ?? 0}\n`;
  });
  const braces = inner === '' ? '' : `{${inner}}`;
  return (
    `${lines}${name}_bucket{${prefix}le="+Inf"} ${count}\n` +
    `${name}_sum${braces} ${renderNumber(sum)}\n${name}_count${braces} ${count}\n`
  );
}

function renderLabels(labels: Labels): string {
  const inner = renderPairs(labels);
  return inner === '' ? '' : `{${inner}}`;
}

function renderPairs(labels: Labels): string {
  let pairs = '';
  for (const name in labels) {
    pairs += `${pairs === '' ? '' : ','}${name}="${escapeLabel(labels[name] ?? '')}"`;
  }
  return pairs;
}

function escapeLabel(value: string): string {
  if (/^[\w /.:-]*$/.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function escapeHelp(help: string, format: ExpositionFormat): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped;
}

function renderBound(bound: number, format: ExpositionFormat): string {
  return format === 'openmetrics' && Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function renderNumber(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
