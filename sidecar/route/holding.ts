// Which severities wait now instead of being told at once: for the end of the quiet hours, or for the next digest.
import type { Severity } from '../../kong-plugin/contract/severity';
import type { NotificationPolicy } from '../config/notification-policy';
import { isWithin } from './daily-times';
import type { Gathered } from './route-state';

export interface Holding {
  /** Whether news of an alert of this severity waits. */
  holds(severity: Severity): boolean;
  /** What of the gathered no longer waits. Of each alert nothing goes before what was gathered earlier. */
  ready(gathered: readonly Gathered[], nowMs: number): readonly Gathered[];
}

/** @param timeMs Unix ms, by the clock that people have */
export function holdingAt(
  { quietHours, digest }: Pick<NotificationPolicy, 'quietHours' | 'digest'>,
  timeMs: number,
): Holding {
  const quiet = new Set(quietHours && isWithin(quietHours.times, timeMs) ? quietHours.severities : []);
  const digested = new Set(digest?.severities);
  return {
    holds: (severity) => quiet.has(severity) || digested.has(severity),
    ready(gathered, nowMs) {
      if (gathered.length === 0) return [];
      const firstMs = Math.min(
        ...gathered
          .filter(({ item }) => digested.has(item.alert.severity))
          .map(({ gatheredMs }) => gatheredMs),
      );
      const isDigestDue = digest === undefined || nowMs >= firstMs + digest.everyMs;
      const waiting = new Set<string>();
      return gathered.filter(({ key, item: { alert } }) => {
        const waits = quiet.has(alert.severity) || (digested.has(alert.severity) && !isDigestDue);
        if (waits) waiting.add(key);
        return !waiting.has(key);
      });
    },
  };
}
