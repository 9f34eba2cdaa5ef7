// In: the requests and errors of a window. Out: whether the share of errors is over a threshold; with the gate on, whether
// Wilson's lower bound of it is.
import type { ErrorRateRule } from '../config/rule';
import type { ScopeView } from '../window/scope-view';
import { hasGap } from './known-enough';
import type { Verdict } from './verdict';
import { weighThresholds } from './weigh-thresholds';
import { wilsonLowerBound } from './wilson';

export function judgeErrorRate(rule: ErrorRateRule, view: ScopeView): Verdict {
  const { requests, errors } = view.counts(rule.windowMs);
  return weighThresholds(rule, {
    value: requests === 0 ? undefined : errors / requests,
    samples: requests,
    side: 'over',
    hasGap: hasGap(view, rule.windowMs),
    bad: () => errors,
    isSure: (threshold, confidence) => wilsonLowerBound(errors, requests, confidence) > threshold,
  });
}
