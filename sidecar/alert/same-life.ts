// Whether anything of an alert's life has changed, whatever the latest round measured. Asked of every alert in every round.
import { isDeepStrictEqual } from 'node:util';
import type { Alert } from './alert';

/** All but the verdict, and but what follows from the rule. */
const LIFE: Readonly<Record<Exclude<keyof Alert, 'rule' | 'verdict'>, true>> = {
  scope: true,
  state: true,
  severity: true,
  sinceMs: true,
  breachedSinceMs: true,
  firedMs: true,
  healthySinceMs: true,
  milderSinceMs: true,
  unknownSinceMs: true,
  resolvedMs: true,
  acknowledgement: true,
  firings: true,
  isFlapping: true,
};

const LIFE_KEYS = Object.keys(LIFE) as readonly (keyof typeof LIFE)[];

export function isSameLife(before: Alert, after: Alert): boolean {
  if (before === after) return true;
  return before.rule === after.rule && LIFE_KEYS.every((key) => isSame(before[key], after[key]));
}

/** What did not change is mostly the same object as in the round before, and then nothing is looked at. */
function isSame(before: unknown, after: unknown): boolean {
  return before === after || (typeof before === 'object' && isDeepStrictEqual(before, after));
}
