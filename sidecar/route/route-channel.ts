// One round of one channel: from what it was told and what is to what it is told now.
import { severityRank } from '../../kong-plugin/contract/severity';
import type { NotificationPolicy } from '../config/notification-policy';
import { namesOf, type ActiveAlert, type Group } from './active-alert';
import type { Activity } from './active-alerts';
import { isToWait } from './delivery';
import { difference, eased, type Step } from './difference';
import { isRepeatDue, lastDay, newsDueMs } from './group-times';
import type { Holding } from './holding';
import type { Message, MessageItem } from './message';
import {
  NEW_GROUP,
  NO_NOTE,
  type ChannelState,
  type Gathered,
  type GroupTimes,
  type Note,
  type Told,
} from './route-state';
import { byAlert, bySeverity, MOST_ITEMS } from './write-message';

/** What waits for a digest at a time. */
export const MOST_GATHERED = 200;

export interface Round extends Activity {
  readonly policy: NotificationPolicy;
  readonly holding: Holding;
  /** How many alerts of a group fire. */
  readonly firingOf: (groupKey: string) => number;
  readonly nowMs: number;
}

export interface MessageDraft extends Omit<Message, 'id' | 'channel' | 'createdMs'> {
  readonly told: readonly Told[];
}

export interface ChannelRound {
  /** The same where nothing changed. */
  readonly state: ChannelState;
  readonly messages: readonly MessageDraft[];
}

export function routeChannel(channel: string, before: ChannelState, round: Round): ChannelRound {
  const work = new ChannelWork(channel, before, round);
  return work.run();
}

/** What is new in one group, and what the channel knows of it. */
interface GroupNews {
  readonly group: Group;
  readonly alerts: { readonly key: string; readonly steps: readonly Step[] }[];
  /** Of what fires or gets worse; -1 for none. */
  newRank: number;
  /** Of what the channel knows to fire. */
  knownRank: number;
  /** What would be told again. */
  readonly repeatable: { readonly alert: ActiveAlert; readonly toldMs: number }[];
}

class ChannelWork {
  readonly #channel: string;
  readonly #before: ChannelState;
  readonly #round: Round;
  readonly #notes: Map<string, Note>;
  readonly #groups: Map<string, GroupTimes>;
  readonly #news = new Map<string, GroupNews>();
  readonly #messages: MessageDraft[] = [];
  #gathered: Gathered[];
  #leftOut: number;
  #isChanged = false;

  constructor(channel: string, before: ChannelState, round: Round) {
    this.#channel = channel;
    this.#before = before;
    this.#round = round;
    this.#notes = new Map(before.notes);
    this.#groups = new Map(before.groups);
    this.#gathered = [...before.gathered];
    this.#leftOut = before.leftOut;
  }

  run(): ChannelRound {
    this.#sendGathered();
    for (const [key, alert] of this.#round.active)
      if (this.#notes.has(key) || (alert.due.has(this.#channel) && !alert.isMuted)) this.#compare(key, alert);
    for (const key of [...this.#notes.keys()])
      if (!this.#round.active.has(key)) this.#compare(key, undefined);
    for (const news of this.#news.values()) this.#tellGroup(news);
    this.#forgetGroups();
    if (!this.#isChanged) return { state: this.#before, messages: [] };
    const state = {
      notes: this.#notes,
      groups: this.#groups,
      gathered: this.#gathered,
      leftOut: this.#leftOut,
      underway: this.#before.underway,
    };
    return { state, messages: this.#messages };
  }

  #sendGathered(): void {
    const { holding, nowMs } = this.#round;
    this.#leaveOutMuted();
    const ready = holding.ready(this.#gathered, nowMs);
    if (ready.length === 0) return;
    const isReady = new Set(ready);
    this.#gathered = this.#gathered.filter((entry) => !isReady.has(entry));
    const told = new Map<MessageItem, Told>();
    for (const { key, item, after: knows } of ready) {
      const note = this.#notes.get(key) ?? NO_NOTE;
      told.set(item, { key, knew: note.sent, knows });
      this.#note(key, { sent: knows, gathered: note.gathered, failed: undefined });
    }
    // What had no room is gathered anew, as far as it still holds.
    const waiting = new Set(this.#gathered.map(({ key }) => key));
    for (const [key, note] of [...this.#notes])
      if (note.gathered && !waiting.has(key)) this.#note(key, { ...note, gathered: undefined });
    const items = byAlert(ready);
    for (let from = 0; from < items.length; from += MOST_ITEMS) {
      const some = items.slice(from, from + MOST_ITEMS);
      const toldOfSome = some.flatMap((item) => told.get(item) ?? []);
      const isLast = from + MOST_ITEMS >= items.length;
      this.#sendDigest(some, toldOfSome, isLast ? this.#leftOut : 0);
    }
    this.#leftOut = 0;
    this.#isChanged = true;
  }

  #sendDigest(items: readonly MessageItem[], told: readonly Told[], leftOut: number): void {
    const { active } = this.#round;
    this.#messages.push({
      kind: 'digest',
      groupKey: 'digest',
      groupLabels: {},
      items,
      leftOut,
      firing: new Set(told.map(({ key }) => key).filter((key) => active.has(key))).size,
      repeat: 0,
      told,
    });
  }

  /** What of an alert that was muted meanwhile fires is told when that ends, if it still does; what of it is over stays. */
  #leaveOutMuted(): void {
    const { active } = this.#round;
    const isMuted = ({ key, after }: Gathered): boolean => {
      const alert = active.get(key);
      return alert !== undefined && alert.isMuted && after?.startedMs === alert.startedMs;
    };
    const muted = new Set(this.#gathered.filter(isMuted).map(({ key }) => key));
    if (muted.size === 0) return;
    this.#gathered = this.#gathered.filter((entry) => !isMuted(entry));
    for (const key of muted) {
      const last = this.#gathered.findLast((entry) => entry.key === key);
      const { sent, failed } = this.#notes.get(key) ?? NO_NOTE;
      this.#note(key, { sent, gathered: last && { knows: last.after }, failed });
    }
  }

  #compare(key: string, now: ActiveAlert | undefined): void {
    const { ends, nowMs, holding } = this.#round;
    const { sent, gathered, failed } = this.#easedNote(key, now);
    const end = ends.get(key);
    const steps = difference(sent, now, end, this.#channel, nowMs);
    const last = steps.at(-1);
    if (last && failed && isToWait(failed, last.after, nowMs)) {
      if (sent) this.#knows(key, now, sent.severity, sent.timeMs, false);
      return;
    }
    const isAtOnce = last !== undefined && !holds(last, holding);
    if (sent) this.#knows(key, now, sent.severity, sent.timeMs, gathered === undefined && steps.length === 0);
    if (isAtOnce) {
      this.#tell(key, steps);
    } else if (gathered) {
      this.#gather(key, difference(gathered.knows, now, end, this.#channel, nowMs));
    } else if (last) {
      const [first] = steps;
      // The end of a severe run does not wait because a mild one has begun; that comes in the next round.
      if (first && !holds(first, holding)) this.#tell(key, [first]);
      else this.#gather(key, steps);
    } else if (!now) {
      // Nobody knows what this was, or it was over before anybody was told.
      this.#note(key, NO_NOTE);
    }
  }

  #easedNote(key: string, now: ActiveAlert | undefined): Note {
    const note = this.#notes.get(key) ?? NO_NOTE;
    const sent = eased(note.sent, now);
    const knows = eased(note.gathered?.knows, now);
    if (sent === note.sent && knows === note.gathered?.knows) return note;
    const next = { sent, gathered: note.gathered && { knows }, failed: note.failed };
    this.#note(key, next);
    return next;
  }

  #newsOf(key: string): GroupNews | undefined {
    const group = this.#groupOf(key);
    if (!group) return undefined;
    const known = this.#news.get(group.key);
    if (known) return known;
    const news: GroupNews = { group, alerts: [], newRank: -1, knownRank: -1, repeatable: [] };
    this.#news.set(group.key, news);
    return news;
  }

  #groupOf(key: string): Group | undefined {
    const { active, ends, policy } = this.#round;
    const ended = ends.get(key)?.alert;
    return active.get(key)?.group ?? (ended && namesOf(ended, policy.groupBy).group);
  }

  #knows(
    key: string,
    now: ActiveAlert | undefined,
    severity: ActiveAlert['severity'],
    toldMs: number,
    isUpToDate: boolean,
  ): void {
    const news = this.#newsOf(key);
    if (!news) return;
    news.knownRank = Math.max(news.knownRank, severityRank(severity));
    if (!now || !isUpToDate || now.isMuted || now.alert.state !== 'firing') return;
    if (now.due.has(this.#channel) && !this.#round.holding.holds(now.severity))
      news.repeatable.push({ alert: now, toldMs });
  }

  #tell(key: string, steps: readonly Step[]): void {
    const news = this.#newsOf(key);
    if (!news) return;
    news.alerts.push({ key, steps });
    for (const { item } of steps)
      if (isTrouble(item)) news.newRank = Math.max(news.newRank, severityRank(item.alert.severity));
  }

  #gather(key: string, steps: readonly Step[]): void {
    for (const { item, after } of steps) {
      // What has no room is gathered again once there is some, as far as it still holds.
      if (this.#gathered.length < MOST_GATHERED)
        this.#gathered.push({ key, item, gatheredMs: this.#round.nowMs, after });
      const { sent, failed } = this.#notes.get(key) ?? NO_NOTE;
      this.#note(key, { sent, gathered: { knows: after }, failed });
    }
  }

  #tellGroup(news: GroupNews): void {
    const { policy, nowMs } = this.#round;
    const times = this.#groups.get(news.group.key) ?? NEW_GROUP;
    if (news.alerts.length > 0) {
      const pendingMs = times.pendingMs ?? nowMs;
      if (nowMs >= newsDueMs({ ...times, pendingMs }, news.newRank > news.knownRank, policy)) {
        this.#sendNews(news, times);
        return;
      }
      this.#setTimes(news.group.key, { ...times, pendingMs });
    } else if (times.pendingMs !== undefined) {
      this.#setTimes(news.group.key, { ...times, pendingMs: undefined });
    }
    if (news.repeatable.length > 0) this.#repeat(news);
  }

  #sendNews({ group, alerts, newRank }: GroupNews, times: GroupTimes): void {
    const { nowMs } = this.#round;
    // Whoever takes each message for the state of an alert must not read the end of a run after the next has begun.
    const overFirst = new Map<MessageItem, Told>();
    const rest = new Map<MessageItem, Told>();
    for (const { key, steps } of alerts) {
      let knew = this.#notes.get(key)?.sent;
      steps.forEach(({ item, after: knows }, index) => {
        (index < steps.length - 1 ? overFirst : rest).set(item, { key, knew, knows });
        knew = knows;
      });
    }
    for (const told of [overFirst, rest]) {
      const items = bySeverity([...told.keys()]);
      for (let from = 0; from < items.length; from += MOST_ITEMS) {
        const some = items.slice(from, from + MOST_ITEMS);
        const toldOfSome = some.flatMap((item) => told.get(item) ?? []);
        this.#sendGroup(group, some, 0, toldOfSome);
      }
    }
    for (const { key, steps } of alerts) this.#notePulled(key, steps);
    this.#setTimes(group.key, {
      pendingMs: undefined,
      newsMs: nowMs,
      sentMs: nowMs,
      repeats: newRank >= 0 ? 0 : times.repeats,
      repeatedMs: lastDay(times.repeatedMs, nowMs),
    });
  }

  /** The next digest no longer tells what is told now; what else it had of the alert is counted. */
  #notePulled(key: string, steps: readonly Step[]): void {
    const { sent, gathered } = this.#notes.get(key) ?? NO_NOTE;
    const after = steps.at(-1)?.after;
    if (gathered) {
      const told = new Set([sent?.startedMs, after?.startedMs]);
      const pulled = this.#gathered.filter((entry) => entry.key === key);
      this.#gathered = this.#gathered.filter((entry) => entry.key !== key);
      this.#leftOut += pulled.filter(({ item }) => !told.has(item.alert.sinceMs)).length;
    }
    this.#note(key, { sent: after, gathered: undefined, failed: undefined });
  }

  #repeat({ group, repeatable }: GroupNews): void {
    const { policy, nowMs } = this.#round;
    const times = this.#groups.get(group.key) ?? NEW_GROUP;
    const sentMs = times.sentMs ?? Math.max(...repeatable.map(({ toldMs }) => toldMs));
    if (!isRepeatDue(times, sentMs, policy, nowMs)) return;
    const items = repeatable.map(({ alert: { alert } }): MessageItem => {
      return { alert, occasion: 'repeated', atMs: nowMs, endReason: undefined };
    });
    const repeats = times.repeats + 1;
    this.#sendGroup(group, bySeverity(items), repeats, []);
    const repeatedMs = [...lastDay(times.repeatedMs, nowMs), nowMs];
    this.#setTimes(group.key, { ...times, sentMs: nowMs, repeats, repeatedMs });
  }

  #sendGroup(group: Group, items: readonly MessageItem[], repeat: number, told: readonly Told[]): void {
    this.#messages.push({
      kind: 'group',
      groupKey: group.key,
      groupLabels: group.labels,
      items,
      leftOut: 0,
      firing: this.#round.firingOf(group.key),
      repeat,
      told,
    });
  }

  #note(key: string, note: Note): void {
    if (note.sent || note.gathered || note.failed) this.#notes.set(key, note);
    else this.#notes.delete(key);
    this.#isChanged = true;
  }

  #setTimes(key: string, times: GroupTimes): void {
    this.#groups.set(key, times);
    this.#isChanged = true;
  }

  /** A group of which the channel knows nothing begins anew; its repeats of the last day still count. */
  #forgetGroups(): void {
    if (this.#groups.size === 0) return;
    const known = this.#knownGroups();
    for (const [key, times] of this.#groups) {
      const isPending = times.pendingMs !== undefined && this.#news.has(key);
      if (isPending || known.has(key)) continue;
      const repeatedMs = lastDay(times.repeatedMs, this.#round.nowMs);
      if (repeatedMs.length === 0) {
        this.#groups.delete(key);
        this.#isChanged = true;
      } else if (times.pendingMs !== undefined || repeatedMs !== times.repeatedMs) {
        this.#setTimes(key, { ...times, pendingMs: undefined, repeatedMs });
      }
    }
  }

  #knownGroups(): Set<string> {
    const known = new Set<string>();
    for (const [key, { sent }] of this.#notes) {
      const group = sent && this.#groupOf(key);
      if (group) known.add(group.key);
    }
    return known;
  }
}

function holds({ severity }: Step, holding: Holding): boolean {
  return holding.holds(severity);
}

function isTrouble({ occasion }: MessageItem): boolean {
  return occasion === 'fired' || occasion === 'worsened' || occasion === 'escalated';
}
