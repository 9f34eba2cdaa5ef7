// A rule's value as a person reads it: whole ms, percent, a score of two digits; more digits where asked for.
import type { Rule } from '../config/config';

/** Enough for every digit that a threshold is given with. */
export const MAX_DIGITS = 9;

/** As many as the kind is usually read with. */
export const USUAL_DIGITS: Readonly<Record<Rule['kind'], number>> = {
  p95_latency: 0,
  error_rate: 1,
  apdex: 2,
};

const LEAST_DIGITS: Readonly<Record<Rule['kind'], number>> = { p95_latency: 0, error_rate: 0, apdex: 2 };

export function formatValue(kind: Rule['kind'], value: number, mostDigits = USUAL_DIGITS[kind]): string {
  const number = (kind === 'error_rate' ? value * 100 : value).toLocaleString('en-US', {
    minimumFractionDigits: LEAST_DIGITS[kind],
    maximumFractionDigits: mostDigits,
  });
  if (kind === 'p95_latency') return `${number} ms`;
  return kind === 'error_rate' ? `${number}%` : number;
}

/** A threshold with every digit it was given. */
export function formatThreshold(kind: Rule['kind'], threshold: number): string {
  return formatValue(kind, threshold, MAX_DIGITS);
}
