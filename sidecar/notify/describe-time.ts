// Moments and spans as a person reads them.
import { describeDuration } from './describe-duration';

/** "2026-03-01 10:04:05 UTC" */
export function describeTime(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** "It lasted 12 minutes, from 2026-03-01 10:00:00 UTC to 2026-03-01 10:12:00 UTC." */
export function describeSpan(fromMs: number, toMs: number): string {
  const lasted = describeDuration(Math.max(0, toMs - fromMs));
  return `It lasted ${lasted}, from ${describeTime(fromMs)} to ${describeTime(toMs)}.`;
}
