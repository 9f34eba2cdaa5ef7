// From a prom-client registry to metric families, so that the sidecar's own figures are rendered like all others:
// prom-client's own renderer renames counters for good once it was asked for OpenMetrics.
import type { Registry } from 'prom-client';
import type { BucketSample, Labels, MetricFamily } from './metric-family';

/** What prom-client 15 gives; its typings name the type by a number, at run time it is a word. */
interface RegistryMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly RegistryValue[];
}

interface RegistryValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Only of histograms: which of its lines this is. */
  readonly metricName?: string;
}

export async function registryFamilies(registry: Registry): Promise<MetricFamily[]> {
  const metrics = (await registry.getMetricsAsJSON()) as unknown as RegistryMetric[];
  return metrics.map(({ name, help, type, values }) =>
    type === 'histogram'
      ? { name, help, type, samples: histogramSamples(name, values) }
      : {
          name,
          help,
          type: type === 'counter' ? 'counter' : 'gauge',
          samples: values.map(({ labels, value }) => ({ labels: textLabels(labels), value })),
        },
  );
}

function histogramSamples(name: string, values: readonly RegistryValue[]): BucketSample[] {
  const byLabels = new Map<string, { -readonly [Key in keyof BucketSample]: BucketSample[Key] }>();
  for (const { labels, value, metricName } of values) {
    const { le, ...own } = labels;
    const key = JSON.stringify(own);
    const sample = byLabels.get(key) ?? {
      labels: textLabels(own),
      bounds: [],
      counts: [],
      count: 0,
      sum: 0,
    };
    byLabels.set(key, sample);
    if (metricName === `${name}_sum`) sample.sum = value;
    else if (metricName === `${name}_count`) sample.count = value;
    else if (le !== '+Inf') {
      sample.bounds = [...sample.bounds, Number(le)];
      sample.counts = [...sample.counts, value];
    }
  }
  return [...byLabels.values()];
}

function textLabels(labels: RegistryValue['labels']): Labels {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}
