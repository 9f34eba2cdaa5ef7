// When a group of alerts is told to a channel, and when it is told again.
import type { NotificationPolicy } from '../config/notification-policy';
import type { GroupTimes } from './route-state';

const DAY_MS = 86_400_000;

/**
 * When news of a group are told, Unix ms. Those that are more severe than all that the channel knows to fire in the group wait
 * for others, as the first message does, but not for the interval: a warning does not delay a page.
 * @param times with `pendingMs` set
 */
export function newsDueMs(
  times: GroupTimes & { readonly pendingMs: number },
  isMoreSevere: boolean,
  policy: Pick<NotificationPolicy, 'groupWaitMs' | 'groupIntervalMs'>,
): number {
  if (isMoreSevere || times.newsMs === undefined) return times.pendingMs + policy.groupWaitMs;
  return times.newsMs + policy.groupIntervalMs;
}

/**
 * Whether a group that still fires is told again now. The pause grows with each repeat, up to a day or, where that is longer,
 * the first pause.
 * @param times with `repeatedMs` of the last 24 hours
 * @param sentMs when something of the group was sent last
 */
export function isRepeatDue(
  times: GroupTimes,
  sentMs: number,
  policy: Pick<NotificationPolicy, 'repeatIntervalMs' | 'repeatFactor' | 'mostRepeatsPerDay'>,
  nowMs: number,
): boolean {
  const { repeatIntervalMs, repeatFactor, mostRepeatsPerDay } = policy;
  if (repeatIntervalMs === undefined || lastDay(times.repeatedMs, nowMs).length >= mostRepeatsPerDay)
    return false;
  const pauseMs = Math.min(
    repeatIntervalMs * repeatFactor ** times.repeats,
    Math.max(repeatIntervalMs, DAY_MS),
  );
  return nowMs >= sentMs + pauseMs;
}

/** Those of the 24 hours before now. */
export function lastDay(repeatedMs: readonly number[], nowMs: number): readonly number[] {
  return repeatedMs.every((ms) => ms > nowMs - DAY_MS)
    ? repeatedMs
    : repeatedMs.filter((ms) => ms > nowMs - DAY_MS);
}
