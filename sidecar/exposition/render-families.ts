// From metric families to text, in the two formats that Prometheus asks for: its own text format 0.0.4 and OpenMetrics 1.0.0.
// They differ here in the name of a counter's family (without `_total` in OpenMetrics), in the bounds of buckets (`1.0` where
// the text format has `1`), in the escaping of HELP and in the last line.
import type { BucketSample, Labels, MetricFamily } from './metric-family';

export type ExpositionFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

export function renderFamilies(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const lines: string[] = [];
  for (const family of families) {
    const name =
      format === 'openmetrics' && family.type === 'counter'
        ? family.name.replace(/_total$/, '')
        : family.name;
    lines.push(`# HELP ${name} ${escapeHelp(family.help, format)}`, `# TYPE ${name} ${family.type}`);
    if (family.type === 'histogram') {
      for (const sample of family.samples) pushBuckets(lines, name, sample, format);
    } else {
      for (const { labels, value } of family.samples) {
        lines.push(`${family.name}${renderLabels(labels)} ${renderNumber(value)}`);
      }
    }
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function pushBuckets(lines: string[], name: string, sample: BucketSample, format: ExpositionFormat): void {
  const { labels, bounds, counts, count, sum } = sample;
  const inner = renderPairs(labels);
  const prefix = inner === '' ? '' : `${inner},`;
  bounds.forEach((bound, index) => {
    lines.push(`${name}_bucket{${prefix}le="${renderBound(bound, format)}"} ${counts[index] ?? 0}`);
  });
  const braces = inner === '' ? '' : `{${inner}}`;
  lines.push(
    `${name}_bucket{${prefix}le="+Inf"} ${count}`,
    `${name}_sum${braces} ${renderNumber(sum)}`,
    `${name}_count${braces} ${count}`,
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
