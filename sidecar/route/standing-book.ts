// What a channel is told that keeps the state of all alerts itself, as an Alertmanager does: everything that fires, at each change and
// again at each interval, and for a while what has ended. Grouping, inhibition, repeats, escalation and quiet hours are then that
// channel's; an alert that a silence or a maintenance window covers is not begun with, and is told to its end once it was.
// The keys of what is told are kept over restarts, so that what was told is told to its end; an alert that is forgotten meanwhile ends
// there by itself.
import { isActive, type Alert } from '../alert/alert';
import type { AlertChange } from '../alert/alert-change';
import { alertKey } from '../alert/alert-key';
import { z } from 'zod';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import type { Message, MessageItem } from './message';
import { writeMessage } from './write-message';

export interface StandingChannel {
  readonly name: string;
  readonly resendIntervalMs: number;
}

/** As long as Prometheus does (resolvedRetention in rules/alerting.go): a member of a cluster that was away hears of it too. */
export const RESOLVED_TOLD_MS = 15 * 60_000;

export interface StandingRound {
  readonly channels: readonly StandingChannel[];
  readonly alerts: Iterable<Alert>;
  readonly changes: readonly AlertChange[];
  /** Key of an alert -> whether nobody is to be told of it now. */
  readonly isMuted: (key: string) => boolean;
  /** On the clock of the rounds. */
  readonly nowMs: number;
}

const OCCASION_OF = {
  fired: 'fired',
  flapped: 'fired',
  worsened: 'worsened',
  acknowledged: 'acknowledged',
  resolved: 'resolved',
} as const satisfies Record<AlertChange['kind'], MessageItem['occasion']>;

const keysShape = z.array(z.string());

/** An alert that was told of by an earlier process, as it is now; `undefined` of one that has been over for long. */
function toldBefore(alert: Alert, change: AlertChange | undefined, nowMs: number): MessageItem | undefined {
  if (isActive(alert))
    return { alert, occasion: 'fired', atMs: alert.firedMs ?? nowMs, endReason: undefined };
  if (alert.state !== 'resolved') return undefined;
  const atMs = change?.atMs ?? alert.resolvedMs ?? nowMs;
  return { alert, occasion: 'resolved', atMs, endReason: change?.endReason ?? 'recovered' };
}

export class StandingBook {
  /** Key -> the alert as it is told. */
  readonly #items = new Map<string, MessageItem>();
  /** Channel -> when it was told last, and how often since the latest change. */
  readonly #told = new Map<string, { atMs: number; repeat: number }>();
  #nextMessage = 1;
  /** Keys of what an earlier process told, until the first round. */
  #toldBefore: ReadonlySet<string> = new Set();
  #isWritten = true;

  round({ channels, alerts, changes, isMuted, nowMs }: StandingRound): Message[] {
    if (channels.length === 0) {
      this.#isWritten &&= this.#items.size + this.#toldBefore.size === 0;
      this.#items.clear();
      this.#told.clear();
      this.#toldBefore = new Set();
      return [];
    }
    const isNews = this.#note(alerts, changes, isMuted, nowMs);
    if (this.#items.size === 0) return [];
    return channels.flatMap(({ name, resendIntervalMs }) => {
      const told = this.#told.get(name);
      if (!isNews && told && nowMs < told.atMs + resendIntervalMs) return [];
      const repeat = isNews || !told ? 0 : told.repeat + 1;
      this.#told.set(name, { atMs: nowMs, repeat });
      return [this.#message(name, repeat, nowMs)];
    });
  }

  takeDirty(): MemoryChanges {
    const puts = this.#isWritten ? [] : [{ key: MEMORY_KEYS.standing, value: [...this.#items.keys()] }];
    this.#isWritten = true;
    return { puts, deletes: [] };
  }

  /** What cannot be read is as if it were not there. @param value `undefined`: nothing was written */
  restore(value: unknown): void {
    this.#toldBefore = new Set(keysShape.safeParse(value).data);
  }

  /** @returns whether it tells anything else than before */
  #note(
    alerts: Iterable<Alert>,
    changes: readonly AlertChange[],
    isMuted: (key: string) => boolean,
    nowMs: number,
  ): boolean {
    let isNews = false;
    const changed = new Map(
      changes.map((change) => [alertKey(change.alert.rule.name, change.alert.scope), change]),
    );
    const active = new Set<string>();
    for (const alert of alerts) {
      const key = alertKey(alert.rule.name, alert.scope);
      const known = this.#toldBefore.has(key) ? toldBefore(alert, changed.get(key), nowMs) : undefined;
      if (known) {
        this.#items.set(key, known);
        isNews = true;
      }
      if (!isActive(alert)) continue;
      const before = this.#items.get(key);
      const isTold = before !== undefined && before.occasion !== 'resolved';
      if (!isTold && isMuted(key)) continue;
      active.add(key);
      const change = changed.get(key);
      isNews ||= !isTold || change !== undefined;
      const occasion = change ? OCCASION_OF[change.kind] : isTold ? before.occasion : 'fired';
      const atMs = change?.atMs ?? (isTold ? before.atMs : (alert.firedMs ?? nowMs));
      this.#items.set(key, { alert, occasion, atMs, endReason: undefined });
    }
    for (const [key, item] of this.#items) {
      if (active.has(key)) continue;
      if (item.occasion === 'resolved') {
        if (nowMs < item.atMs + RESOLVED_TOLD_MS) continue;
        this.#items.delete(key);
        this.#isWritten = false;
        continue;
      }
      const change = changed.get(key);
      const { alert, atMs, endReason } = change ?? { alert: item.alert, atMs: nowMs, endReason: undefined };
      this.#items.set(key, { alert, occasion: 'resolved', atMs, endReason: endReason ?? 'recovered' });
      isNews = true;
    }
    this.#isWritten &&= !isNews && this.#toldBefore.size === 0;
    this.#toldBefore = new Set();
    return isNews;
  }

  #message(channel: string, repeat: number, createdMs: number): Message {
    const items = [...this.#items.values()];
    const firing = items.filter(({ occasion }) => occasion !== 'resolved').length;
    const draft = {
      channel,
      kind: 'standing' as const,
      groupKey: '',
      groupLabels: {},
      items,
      leftOut: 0,
      firing,
      repeat,
      createdMs,
    };
    return writeMessage(draft, this.#nextMessage++, Infinity);
  }
}
