import type { DailyTimes } from '../../../sidecar/config/notification-policy';
import { isWithin } from '../../../sidecar/route/daily-times';
import { openWindows } from '../../../sidecar/route/maintenance';

const ALL = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

function times(from: string, to: string, changes: Partial<DailyTimes> = {}): DailyTimes {
  const minute = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  return { days: ALL, fromMinute: minute(from), toMinute: minute(to), timeZone: 'Europe/Berlin', ...changes };
}

describe('times of day', () => {
  // Berlin is an hour ahead of UTC in winter and two in summer; 2026-03-02 is a Monday.
  it.each([
    ['just before they begin', '22:00', '23:00', '2026-03-02T20:59:59.999Z', false],
    ['as they begin', '22:00', '23:00', '2026-03-02T21:00:00.000Z', true],
    ['just before they end', '22:00', '23:00', '2026-03-02T21:59:59.999Z', true],
    ['as they end', '22:00', '23:00', '2026-03-02T22:00:00.000Z', false],
    ['before midnight, where they go over it', '22:00', '06:00', '2026-03-02T22:30:00Z', true],
    ['after midnight, where they go over it', '22:00', '06:00', '2026-03-03T04:59:00Z', true],
    ['in the morning after', '22:00', '06:00', '2026-03-03T05:00:00Z', false],
    ['at midnight itself', '22:00', '06:00', '2026-03-02T23:00:00Z', true],
    ['at any time, where they end as they begin', '06:00', '06:00', '2026-03-02T04:00:00Z', true],
    ['in summer', '22:00', '23:00', '2026-07-01T20:30:00Z', true],
  ])('hold %s', (_, from, to, time, holds) => {
    expect(isWithin(times(from, to), Date.parse(time))).toBe(holds);
  });

  it('count to the day on which they began', () => {
    const friday = times('22:00', '06:00', { days: ['fri'] });
    expect(isWithin(friday, Date.parse('2026-03-06T21:30:00Z'))).toBe(true);
    expect(isWithin(friday, Date.parse('2026-03-07T04:30:00Z'))).toBe(true);
    expect(isWithin(friday, Date.parse('2026-03-06T04:30:00Z'))).toBe(false);
    expect(isWithin(friday, Date.parse('2026-03-07T21:30:00Z'))).toBe(false);
    const sunday = times('22:00', '06:00', { days: ['sun'] });
    expect(isWithin(sunday, Date.parse('2026-03-02T04:30:00Z'))).toBe(true);
  });

  it('are an hour shorter in the night in which summer time begins, and an hour longer when it ends', () => {
    const night = times('00:00', '06:00');
    const minutes = (from: string, to: string): number => {
      let within = 0;
      for (let ms = Date.parse(from); ms < Date.parse(to); ms += 60_000)
        within += isWithin(night, ms) ? 1 : 0;
      return within;
    };
    expect(minutes('2026-03-27T12:00:00Z', '2026-03-28T12:00:00Z')).toBe(360);
    expect(minutes('2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toBe(300);
    expect(minutes('2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z')).toBe(420);
  });

  it('within the hour that is left out do not come, and come twice where it comes twice', () => {
    const hour = times('02:00', '03:00');
    expect(isWithin(hour, Date.parse('2026-03-29T00:59:00Z'))).toBe(false);
    expect(isWithin(hour, Date.parse('2026-03-29T01:00:00Z'))).toBe(false);
    expect(isWithin(hour, Date.parse('2026-10-25T00:30:00Z'))).toBe(true);
    expect(isWithin(hour, Date.parse('2026-10-25T01:30:00Z'))).toBe(true);
    expect(isWithin(hour, Date.parse('2026-10-25T02:00:00Z'))).toBe(false);
  });
});

describe('a maintenance window', () => {
  const window = {
    name: 'nightly',
    matchers: [],
    times: times('22:00', '23:00'),
    untilDay: '2026-03-03',
    comment: 'reports',
  };

  it('is open at its times, up to its last day', () => {
    expect(openWindows([window], Date.parse('2026-03-02T21:30:00Z'))).toEqual([window]);
    expect(openWindows([window], Date.parse('2026-03-02T22:30:00Z'))).toEqual([]);
    expect(openWindows([window], Date.parse('2026-03-03T21:30:00Z'))).toEqual([window]);
    expect(openWindows([window], Date.parse('2026-03-04T21:30:00Z'))).toEqual([]);
  });

  it('has its last day in its own time zone, and ends on the next where it goes over midnight', () => {
    const evening = { ...window, times: { ...times('20:00', '02:00'), timeZone: 'America/Los_Angeles' } };
    // 20:30 and 01:30 there; the second is of the day before.
    expect(openWindows([evening], Date.parse('2026-03-04T04:30:00Z'))).toEqual([evening]);
    expect(openWindows([evening], Date.parse('2026-03-04T09:30:00Z'))).toEqual([evening]);
    expect(openWindows([evening], Date.parse('2026-03-05T04:30:00Z'))).toEqual([]);
  });
});
