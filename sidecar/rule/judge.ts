// In: a rule and what it sees of one scope. Out: the rule's word on it. Each kind has a file of its own.
// Error rate, quantile and Apdex mean what `WindowCounts` and the histogram count; a value at a threshold is no breach.
import type { Rule } from '../config/rule';
import type { ScopeView } from '../window/scope-view';
import { judgeApdex } from './judge-apdex';
import { judgeBurnRate } from './judge-burn-rate';
import { judgeErrorRate } from './judge-error-rate';
import type { KongRule } from './judge-kong';
import { judgeLatency } from './judge-latency';
import { judgeTrafficAbsence, judgeTrafficDrop } from './judge-traffic';
import type { Verdict } from './verdict';

/** Rules that are judged by what happened in windows. */
export type WindowRule = Exclude<Rule, KongRule>;

/** @param rule as it holds for the view's scope (rule-for.ts) */
export function judgeWindows(rule: WindowRule, view: ScopeView): Verdict {
  switch (rule.kind) {
    case 'latency':
      return judgeLatency(rule, view);
    case 'error_rate':
      return judgeErrorRate(rule, view);
    case 'apdex':
      return judgeApdex(rule, view);
    case 'traffic_drop':
      return judgeTrafficDrop(rule, view);
    case 'traffic_absence':
      return judgeTrafficAbsence(rule, view);
    case 'burn_rate':
      return judgeBurnRate(rule, view);
  }
}
