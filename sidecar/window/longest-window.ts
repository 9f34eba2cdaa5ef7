// How much of the past the rules need.
import type { Rule } from '../config/config';

/** The longest window (ms) of the rules; 0 without rules. */
export function longestWindowMs(rules: readonly Rule[]): number {
  return Math.max(0, ...rules.map(({ windowMs }) => windowMs));
}
