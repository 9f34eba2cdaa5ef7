import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { AlertChange, EndReason } from '../../../sidecar/alert/alert-change';
import {
  ALERT_EVENT_KINDS,
  alertEventShape,
  type AlertEvent,
  type NewAlertEvent,
} from '../../../sidecar/memory/alert-event';
import { EventLog, type EventFilter } from '../../../sidecar/memory/event-log';
import { MemoryStore } from '../../../sidecar/memory/memory-store';
import type { Occasion } from '../../../sidecar/route/message';
import type { Silence } from '../../../sidecar/route/silence';
import { labelsOf, type Scope } from '../../../sidecar/window/scope';

const NOW_MS = 1_700_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const ALL: EventFilter = { limit: 1_000_000 };

const scope: Scope = { level: 'operation', service: 'orders', operation: 'GET list' };
const ofAlert = {
  atMs: NOW_MS,
  alertId: 'a1',
  rule: 'slow',
  labels: labelsOf(scope),
  severity: 'error',
} as const;
const ofSilence = {
  atMs: NOW_MS,
  silenceId: 's1',
  matchers: [{ label: 'service', operator: '=~', value: 'orders|users' }] satisfies Silence['matchers'],
  startsMs: NOW_MS,
  endsMs: NOW_MS + 1,
  comment: 'deploy',
};
const told = { channel: 'slack', occasion: 'escalated' satisfies Occasion as Occasion, messageId: 'm1' };

/** One of each kind. */
const EVENTS: readonly NewAlertEvent[] = [
  { kind: 'fired', ...ofAlert, value: 812.5, threshold: 500, sinceMs: NOW_MS - 5 },
  { kind: 'worsened', ...ofAlert, threshold: 900 },
  { kind: 'flapped', ...ofAlert, firings: 3 },
  { kind: 'acknowledged', ...ofAlert, by: 'ada', comment: '' },
  { kind: 'resolved', ...ofAlert, value: 3, threshold: 500, firedMs: NOW_MS, endReason: 'recovered' },
  { kind: 'notification_sent', ...ofAlert, ...told },
  { kind: 'notification_failed', ...ofAlert, ...told, reason: '503' },
  { kind: 'notification_discarded', ...ofAlert, ...told, by: 'ada' },
  { kind: 'silence_created', ...ofSilence, by: 'ada' },
  { kind: 'silence_expired', ...ofSilence },
];

function fired(atMs: number, alertId = 'a1', rule = 'slow'): NewAlertEvent {
  return { kind: 'fired', ...ofAlert, atMs, alertId, rule, threshold: 1, sinceMs: atMs };
}

/** What a log would find at the next start. */
function disk(): { readonly entries: Map<string, unknown>; take: (log: EventLog) => void } {
  const entries = new Map<string, unknown>();
  return {
    entries,
    take: (log) => {
      const { puts, deletes } = log.takeDirty();
      for (const { key, value } of puts) entries.set(key, value);
      for (const key of deletes) entries.delete(key);
    },
  };
}

describe('an event', () => {
  it('exists of each kind, and has the words of the alerts and messages', () => {
    expect(EVENTS.map(({ kind }) => kind)).toEqual([...ALERT_EVENT_KINDS]);
    const kinds: readonly AlertEvent['kind'][] = ALERT_EVENT_KINDS;
    const changes: readonly AlertChange['kind'][] = [
      'fired',
      'worsened',
      'flapped',
      'acknowledged',
      'resolved',
    ];
    expect(kinds).toEqual(expect.arrayContaining([...changes]));
    const reasons: readonly EndReason[] = ['recovered', 'rule_removed', 'not_observed', 'forgotten'];
    for (const endReason of reasons) {
      const event: NewAlertEvent = { kind: 'resolved', ...ofAlert, threshold: 1, firedMs: 1, endReason };
      expect(alertEventShape.safeParse({ ...event, sequence: 1 }).success).toBe(true);
    }
  });

  it('comes back from a disk as it was', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-events-'));
    const clock = { nowMs: () => NOW_MS };
    const log = new EventLog(NOW_MS);
    const first = MemoryStore.open(directory, clock);
    log.append(EVENTS, NOW_MS);
    await first.store.commit(log.takeDirty());
    await first.store.close();
    const second = MemoryStore.open(directory, clock);
    const again = new EventLog(NOW_MS);
    expect(again.restore(second.entries)).toBe(0);
    expect(again.list(ALL)).toEqual(log.list(ALL));
    expect(again.takeDirty()).toEqual({ puts: [], deletes: [] });
    await second.store.close();
    rmSync(directory, { recursive: true, force: true });
  });
});

describe('the log of events', () => {
  it('tells the newest first, page by page, and each once', () => {
    const log = new EventLog(NOW_MS);
    log.append(
      Array.from({ length: 25 }, (_, index) => fired(NOW_MS + index)),
      NOW_MS,
    );
    const times: number[] = [];
    let before: number | undefined;
    let pages = 0;
    do {
      const page = log.list({ limit: 10, before });
      times.push(...page.events.map(({ atMs }) => atMs - NOW_MS));
      // What comes meanwhile is not on a page that follows.
      log.append([fired(NOW_MS + 1_000)], NOW_MS);
      before = page.next;
      pages += 1;
    } while (before !== undefined);
    expect(times).toEqual(Array.from({ length: 25 }, (_, index) => 24 - index));
    expect(pages).toBe(3);
  });

  it('says that there is no next page where the last one is just full', () => {
    const log = new EventLog(NOW_MS);
    log.append([fired(1), fired(2)], 2);
    expect(log.list({ limit: 2 })).toMatchObject({ events: [{ atMs: 2 }, { atMs: 1 }], next: undefined });
    expect(log.list({ limit: 1 }).next).toBe(NOW_MS + 1);
  });

  it('tells only what is asked for', () => {
    const log = new EventLog(1);
    log.append(EVENTS, NOW_MS);
    log.append([fired(NOW_MS + 10, 'a2'), fired(NOW_MS + 20, 'a3', 'broken')], NOW_MS);
    const sequences = (filter: Partial<EventFilter>): number[] =>
      log.list({ ...ALL, ...filter }).events.map(({ sequence }) => sequence);
    expect(sequences({ alertId: 'a2' })).toEqual([11]);
    expect(sequences({ rule: 'broken' })).toEqual([12]);
    expect(sequences({ rule: 'slow' })).toEqual([11, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(sequences({ kind: 'silence_expired' })).toEqual([10]);
    expect(sequences({ kind: 'fired', alertId: 'a1' })).toEqual([1]);
    expect(sequences({ sinceMs: NOW_MS + 10 })).toEqual([12, 11]);
    expect(sequences({ sinceMs: NOW_MS + 10, untilMs: NOW_MS + 20 })).toEqual([11]);
    expect(sequences({ alertId: 'none' })).toEqual([]);
  });

  it('lets the oldest go over its count, on disk too', () => {
    const log = new EventLog(NOW_MS, { mostEvents: 3, longestAgeMs: DAY_MS });
    const { entries, take } = disk();
    for (let event = 1; event <= 5; event++) {
      log.append([fired(event)], event);
      take(log);
    }
    expect(log.list(ALL).events.map(({ atMs }) => atMs)).toEqual([5, 4, 3]);
    expect(entries.size).toBe(3);
  });

  it('lets go what is older than 90 days, without a new event too, and no sooner', () => {
    const log = new EventLog(NOW_MS);
    const { entries, take } = disk();
    log.append([fired(NOW_MS), fired(NOW_MS + 1)], NOW_MS + 1);
    log.append([], NOW_MS + 90 * DAY_MS);
    take(log);
    expect([log.size, entries.size]).toEqual([2, 2]);
    log.append([], NOW_MS + 90 * DAY_MS + 1);
    take(log);
    expect([log.size, entries.size]).toEqual([1, 1]);
  });

  it('holds ten thousand of them', () => {
    const log = new EventLog(NOW_MS);
    log.append(
      Array.from({ length: 10_001 }, () => fired(NOW_MS)),
      NOW_MS,
    );
    expect(log.size).toBe(10_000);
  });

  it('passes over what is not of its form, forgets it, and does not use its number again', () => {
    const log = new EventLog(5);
    const { entries, take } = disk();
    log.append(EVENTS.slice(0, 2), NOW_MS);
    take(log);
    entries.set('alert/1', 'of somebody else');
    entries.set('event/0000000000000099', { kind: 'of a later release' });
    entries.set('event/nonsense', 1);
    const again = new EventLog(5);
    expect(again.restore(entries)).toBe(2);
    expect(again.append([fired(NOW_MS)], NOW_MS)).toMatchObject([{ sequence: 100 }]);
    take(again);
    expect([...entries.keys()].sort()).toEqual([
      'alert/1',
      'event/0000000000000005',
      'event/0000000000000006',
      'event/0000000000000100',
    ]);
  });

  it('never uses a number twice, whatever was lost, however often it is restarted', () => {
    const step = fc.record({
      events: fc.integer({ min: 0, max: 4 }),
      passedMs: fc.integer({ min: 5, max: 100 * DAY_MS }),
      // Of the disk before a restart.
      fate: fc.constantFrom('runs on', 'restarted', 'restarted without its last commit', 'lost'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const used = new Set<number>();
        let nowMs = NOW_MS;
        let log = new EventLog(nowMs, { mostEvents: 3, longestAgeMs: 30 * DAY_MS });
        let { entries, take } = disk();
        for (const { events, passedMs, fate } of steps) {
          nowMs += passedMs;
          for (const { sequence } of log.append(
            Array.from({ length: events }, () => fired(nowMs)),
            nowMs,
          )) {
            expect(used.has(sequence)).toBe(false);
            used.add(sequence);
          }
          if (fate !== 'restarted without its last commit') take(log);
          if (fate === 'runs on') continue;
          if (fate === 'lost') ({ entries, take } = disk());
          log = new EventLog(nowMs, { mostEvents: 3, longestAgeMs: 30 * DAY_MS });
          expect(log.restore(entries)).toBe(0);
        }
      }),
      { numRuns: 200, seed: 5 },
    );
  });
});
