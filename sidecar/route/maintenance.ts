// Which maintenance windows are open. Alerts that match one are not told of while it is.
import type { MaintenanceWindow } from '../config/notification-policy';
import { dayOfTimes } from './daily-times';

/** @param timeMs Unix ms, by the clock that people have */
export function openWindows(
  windows: readonly MaintenanceWindow[],
  timeMs: number,
): readonly MaintenanceWindow[] {
  return windows.filter(({ untilDay, times }) => {
    const day = dayOfTimes(times, timeMs);
    return day !== undefined && day <= untilDay;
  });
}
