// A rule's value as a person reads it: whole ms, percent, a score of two digits, a factor, a word; more digits where asked for.
import type { RuleKind } from '../config/rule';

/** Enough for every digit that a threshold is given with. */
export const MAX_DIGITS = 9;

/** As many as the kind is usually read with; 0 for a word. */
export const USUAL_DIGITS: Readonly<Record<RuleKind, number>> = {
  latency: 0,
  error_rate: 1,
  apdex: 2,
  traffic_drop: 1,
  traffic_absence: 0,
  burn_rate: 1,
  kong_unreachable: 0,
  target_unhealthy: 0,
  observed_ratio: 2,
};

export function formatValue(kind: RuleKind, value: number, mostDigits = USUAL_DIGITS[kind]): string {
  switch (kind) {
    case 'latency':
      return `${digits(value, mostDigits)} ms`;
    case 'error_rate':
    case 'traffic_drop':
    case 'observed_ratio':
      return `${digits(value * 100, mostDigits)}%`;
    case 'apdex':
      return digits(value, mostDigits, 2);
    case 'burn_rate':
      return `${digits(value, mostDigits)}x`;
    case 'traffic_absence':
      return value > 0 ? 'absent' : 'present';
    case 'kong_unreachable':
      return value > 0 ? 'unreachable' : 'reachable';
    case 'target_unhealthy':
      return value > 0 ? 'unhealthy' : 'healthy';
  }
}

/** A threshold with every digit it was given. */
export function formatThreshold(kind: RuleKind, threshold: number): string {
  return formatValue(kind, threshold, MAX_DIGITS);
}

function digits(value: number, most: number, least = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: least, maximumFractionDigits: most });
}
