// What is exposed: families of samples, before they are text. A counter's name ends in `_total`.

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface BucketSample {
  readonly labels: Labels;
  /** Upper bound of each bucket, ascending, without +Inf. */
  readonly bounds: readonly number[];
  /** Cumulative observations up to each bound. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

interface FamilyBase {
  readonly name: string;
  readonly help: string;
}

export type MetricFamily =
  | (FamilyBase & { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] })
  | (FamilyBase & { readonly type: 'histogram'; readonly samples: readonly BucketSample[] });
