// In: a value, the thresholds of its rule and how sure one can be of it. Out: the verdict.
// A value at a threshold is no breach. A severity counts only where its own threshold is passed beyond doubt.
import type { ObservedRatioRule, Threshold } from '../config/rule';
import { breached, cannotTell, notBreached, type Measurement, type Verdict } from './verdict';

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
  /** How many requests are on the wrong side of the threshold of that index; left out where a breach is not about single ones. */
  bad?(index: number): number;
  /**
   * Whether the samples leave no more doubt than `confidence` allows that a threshold is passed. Only asked where the value is, and
   * enough requests are bad.
   * @param index of the threshold in the rule
   */
  isSure(threshold: number, confidence: number, index: number): boolean;
}

const LEAST_BAD_REQUESTS = 2;

/** With the gate on one bad request is never enough, however few there were. */
export function areEnough(badRequests: number): boolean {
  return badRequests >= LEAST_BAD_REQUESTS;
}

export function weighThresholds(rule: GatedRule, measured: Measured): Verdict {
  const { value, samples, hasGap, side } = measured;
  const threshold = mildestOf(rule);
  const measurement: Measurement = { value, threshold, samples };
  if (hasGap) return cannotTell(measurement, 'gap');
  if (value === undefined) return cannotTell(measurement, 'no_requests');
  if (samples < rule.minimumRequests) return cannotTell(measurement, 'too_few_requests');
  const worst = worstBreached(rule, measured, value);
  if (worst) return breached({ ...measurement, threshold: worst.value }, worst.severity);
  if (isWorse(value, threshold, side)) return cannotTell(measurement, 'too_few_requests');
  return notBreached(measurement, isWorse(value, rule.resolveAt, side) ? 'between' : 'healthy');
}

function worstBreached(rule: GatedRule, measured: Measured, value: number): Threshold | undefined {
  return rule.thresholds.findLast(
    (threshold, index) =>
      isWorse(value, threshold.value, measured.side) && isBeyondDoubt(rule, measured, threshold.value, index),
  );
}

function isBeyondDoubt(
  { confidence }: GatedRule,
  measured: Measured,
  threshold: number,
  index: number,
): boolean {
  if (confidence === undefined) return true;
  if (measured.bad && !areEnough(measured.bad(index))) return false;
  return measured.isSure(threshold, confidence, index);
}

function mildestOf({ thresholds }: GatedRule): number {
  return thresholds[0]?.value ?? 0;
}

function isWorse(value: number, than: number, side: Measured['side']): boolean {
  return side === 'over' ? value > than : value < than;
}
