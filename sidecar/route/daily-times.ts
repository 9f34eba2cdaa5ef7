// Whether a moment is within times of day that come back. The clock on the wall of the time zone decides: on a day on which an
// hour is left out, times within it do not come; where an hour comes twice, they come twice.
import { WEEKDAYS, type DailyTimes, type Weekday } from '../config/notification-policy';

interface WallTime {
  readonly day: Weekday;
  /** Since midnight. */
  readonly minute: number;
  /** 2027-03-31 */
  readonly date: string;
}

const DAY_MS = 86_400_000;

/** @param timeMs Unix ms, by the clock that people have */
export function isWithin(times: DailyTimes, timeMs: number): boolean {
  return dayOfTimes(times, timeMs) !== undefined;
}

/**
 * The day (2027-03-31, in its time zone) on which the times began that a moment is in; `undefined` outside of them.
 * @param timeMs Unix ms, by the clock that people have
 */
export function dayOfTimes(
  { days, fromMinute, toMinute, timeZone }: DailyTimes,
  timeMs: number,
): string | undefined {
  const { day, minute, date } = wallTime(timeZone, timeMs);
  const isOvernight = fromMinute >= toMinute;
  if (days.includes(day) && minute >= fromMinute && (isOvernight || minute < toMinute)) return date;
  if (isOvernight && days.includes(dayBefore(day)) && minute < toMinute) return dateBefore(date);
  return undefined;
}

function dateBefore(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
}

function dayBefore(day: Weekday): Weekday {
  return WEEKDAYS.at(WEEKDAYS.indexOf(day) - 1) as Weekday;
}

/** Time zone -> how it is read; to make one takes much longer than to use it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function wallTime(timeZone: string, timeMs: number): WallTime {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  return {
    day: (parts.get('weekday') ?? '').toLowerCase() as Weekday,
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
    date: `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`,
  };
}
