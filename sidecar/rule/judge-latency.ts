// In: the upstream times of a window. Out: whether a quantile of them is over a threshold.
// The value is the quantile that was measured. With the gate on, the true quantile must be over the threshold as well: its
// order-statistic lower bound (order-statistic.ts) is.
import type { LatencyRule } from '../config/rule';
import type { ScopeView } from '../window/scope-view';
import { hasGap } from './known-enough';
import { isQuantileOver } from './order-statistic';
import { readTimes } from './read-times';
import type { Verdict } from './verdict';
import { weighThresholds } from './weigh-thresholds';

export function judgeLatency(rule: LatencyRule, view: ScopeView): Verdict {
  const histogram = view.latency(rule.windowMs);
  const samples = histogram.count;
  const { quantileMs, atMost } = readTimes(histogram, rule.quantile, boundsOf(rule));
  const notOver = (index: number): number => atMost[index] ?? samples;
  return weighThresholds(rule, {
    value: quantileMs,
    samples,
    side: 'over',
    hasGap: hasGap(view, rule.windowMs),
    bad: (index) => samples - notOver(index),
    isSure: (_, confidence, index) => isQuantileOver(notOver(index), samples, rule.quantile, confidence),
  });
}

function boundsOf({ thresholds }: LatencyRule): number[] {
  return thresholds.map(({ value }) => value);
}
