// In: how many requests of a window were satisfied, tolerated, frustrated. Out: whether the score is under a threshold.
// Score = (satisfied + tolerated / 2) / samples: satisfied up to T, tolerated up to 4T, an error never (Apdex 1.1).
// With the gate on Wilson's upper bound of the score must be under it. A sample is worth 0, 1/2 or 1, so its variance is at most
// p (1 - p) for a mean of p, that of a share: the bound is on the safe side.
import type { ApdexRule } from '../config/rule';
import type { ScopeView } from '../window/scope-view';
import { hasGap } from './known-enough';
import type { Verdict } from './verdict';
import { weighThresholds } from './weigh-thresholds';
import { wilsonUpperBound } from './wilson';

export function judgeApdex(rule: ApdexRule, view: ScopeView): Verdict {
  const counts = view.counts(rule.windowMs);
  const samples = counts.samples + counts.errors;
  const satisfied = counts.atMost(rule.targetMs);
  const tolerated = counts.atMost(4 * rule.targetMs) - satisfied;
  const points = satisfied + tolerated / 2;
  return weighThresholds(rule, {
    value: samples === 0 ? undefined : points / samples,
    samples,
    side: 'under',
    hasGap: hasGap(view, rule.windowMs, [rule.targetMs, 4 * rule.targetMs]),
    bad: () => samples - satisfied,
    isSure: (threshold, confidence) => wilsonUpperBound(points, samples, confidence) < threshold,
  });
}
