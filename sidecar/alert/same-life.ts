// Whether anything of an alert's life has changed, whatever the latest round measured.
import { isDeepStrictEqual } from 'node:util';
import type { Alert } from './alert';

/** All but the verdict, and but what follows from the rule. */
export function isSameLife(before: Alert, after: Alert): boolean {
  if (before === after) return true;
  if (before.rule !== after.rule || before.state !== after.state) return false;
  return isDeepStrictEqual({ ...before, verdict: undefined }, { ...after, verdict: undefined });
}
