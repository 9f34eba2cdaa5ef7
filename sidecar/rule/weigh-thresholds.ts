// In: a value, the thresholds of its rule and how sure one can be of it. Out: the verdict.
// A value at a threshold is no breach. A severity counts only where its own threshold is passed beyond doubt.
import type { ObservedRatioRule, Threshold } from '../config/rule';
import type { Doubt, Verdict } from './verdict';

/** What every rule with thresholds and a gate has. */
type GatedRule = Pick<ObservedRatioRule, 'thresholds' | 'resolveAt' | 'confidence' | 'minimumRequests'>;

export interface Measured {
  /** `undefined` where there is nothing to judge. */
  readonly value: number | undefined;
  readonly samples: number;
  /** The side of a threshold on which a breach lies. */
  readonly side: 'over' | 'under';
  /** Too little of what is judged is known. */
  readonly hasGap: boolean;
  /**
   * Whether the samples leave no more doubt than `confidence` allows that a threshold is passed. Only asked where the value is.
   * @param index of the threshold in the rule
   */
  isSure(threshold: number, confidence: number, index: number): boolean;
}

/** With the gate on one bad request is never enough, however few there were. */
export const LEAST_BAD_REQUESTS = 2;

export function weighThresholds(rule: GatedRule, measured: Measured): Verdict {
  const { value, samples, hasGap, side } = measured;
  if (hasGap) return cannotTell(rule, measured, 'gap');
  if (value === undefined) return cannotTell(rule, measured, 'no_requests');
  if (samples < rule.minimumRequests) return cannotTell(rule, measured, 'too_few_requests');
  const breached = worstBreached(rule, measured, value);
  if (breached) {
    const { severity, value: threshold } = breached;
    return { state: 'breached', severity, doubt: undefined, value, threshold, samples };
  }
  const threshold = mildestOf(rule);
  if (isWorse(value, threshold, side)) return cannotTell(rule, measured, 'too_few_requests');
  const state = isWorse(value, rule.resolveAt, side) ? 'between' : 'healthy';
  return { state, severity: undefined, doubt: undefined, value, threshold, samples };
}

function worstBreached(rule: GatedRule, measured: Measured, value: number): Threshold | undefined {
  return rule.thresholds.findLast(
    (threshold, index) =>
      isWorse(value, threshold.value, measured.side) &&
      (rule.confidence === undefined || measured.isSure(threshold.value, rule.confidence, index)),
  );
}

function cannotTell(rule: GatedRule, { value, samples }: Measured, doubt: Doubt): Verdict {
  return { state: 'cannot_tell', severity: undefined, doubt, value, threshold: mildestOf(rule), samples };
}

function mildestOf({ thresholds }: GatedRule): number {
  return thresholds[0]?.value ?? 0;
}

function isWorse(value: number, than: number, side: Measured['side']): boolean {
  return side === 'over' ? value > than : value < than;
}
