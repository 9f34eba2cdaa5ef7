// What routing keeps from round to round: what each channel was told, and when. Times are Unix ms on the clock of the rounds.
// It is a value: a round gives another one, or the same where nothing changed.
import type { Severity } from '../../kong-plugin/contract/severity';
import type { Alert } from '../alert/alert';
import type { EndReason } from '../alert/alert-change';
import type { MessageItem } from './message';

/** What a channel knows of an alert that fires. */
export interface Knowledge {
  /** As it was told, or milder where the alert's has eased since. */
  readonly severity: Severity;
  /** The worst that it was told of this run. */
  readonly worst: Severity;
  /** Which run of the alert, see `Run`. */
  readonly startedMs: number;
  /** Of the acknowledgement that it was told of. */
  readonly acknowledgedMs: number | undefined;
  /** When it was told last. */
  readonly timeMs: number;
}

export interface Note {
  /** `undefined`: nothing, or that it is over. */
  readonly sent: Knowledge | undefined;
  /** Only while the next digest holds something of the alert: what the channel knows after it. */
  readonly gathered: { readonly knows: Knowledge | undefined } | undefined;
  /** Only where the channel was to be told something that did not arrive. */
  readonly failed: Failed | undefined;
}

/** Something that did not arrive, and is told again where it still holds. */
export interface Failed {
  /** What the channel would have known; `undefined`: that the alert is over. */
  readonly knows: Knowledge | undefined;
  /** Before then it is not told again. */
  readonly untilMs: number;
}

/** What a message tells of one alert: what the channel knew before it, and knows after it. */
export interface Told {
  readonly key: string;
  readonly knew: Knowledge | undefined;
  readonly knows: Knowledge | undefined;
}

/** A message whose end is not known yet. */
export interface Underway {
  readonly sentMs: number;
  readonly told: readonly Told[];
  /** See `Message`; of a repeat 0, since nothing is lost with it. */
  readonly leftOut: number;
}

/** Of one group of alerts and one channel. */
export interface GroupTimes {
  /** Since when there is something to tell. */
  readonly pendingMs: number | undefined;
  /** Of the last message that was no repeat. */
  readonly newsMs: number | undefined;
  /** Of the last message. */
  readonly sentMs: number | undefined;
  /** How often the group was repeated since an alert of it fired or got worse. */
  readonly repeats: number;
  /** When, in the last 24 hours. */
  readonly repeatedMs: readonly number[];
}

/** Something that waits for the next digest. */
export interface Gathered {
  readonly key: string;
  readonly item: MessageItem;
  readonly gatheredMs: number;
  /** What the channel knows of the alert after it. */
  readonly after: Knowledge | undefined;
}

export interface ChannelState {
  /** By the alert's key. */
  readonly notes: ReadonlyMap<string, Note>;
  readonly groups: ReadonlyMap<string, GroupTimes>;
  /** In the order in which it happened. */
  readonly gathered: readonly Gathered[];
  /** How much more there was than `gathered` has room for. */
  readonly leftOut: number;
  /** By the message's id, in the order in which they were sent; those that changed what the channel knows. */
  readonly underway: ReadonlyMap<string, Underway>;
}

/** An alert that fires. */
export interface Run {
  /** As it was when it fired, got worse or milder, or was acknowledged. */
  readonly alert: Alert;
  /** What tells it from other runs: its `sinceMs` when it was first seen. */
  readonly startedMs: number;
  readonly escalation: EscalationTimes;
  /** Since when it is muted; meanwhile no step comes nearer. */
  readonly mutedSinceMs: number | undefined;
  /** Only where another alert has hidden it from its beginning. */
  readonly hidden: Hidden | undefined;
}

/** What the steps of an escalation count by. Each is later by as long as the alert was muted since. */
export interface EscalationTimes {
  /** Since when it fires, or since it got worse after an acknowledgement. */
  readonly fromMs: number;
  /** When it had each other severity last. */
  readonly leftMs: Readonly<Partial<Record<Severity, number>>>;
}

export interface Hidden {
  /** Key of the other. */
  readonly by: string;
  /** What the alert was while it was hidden. */
  readonly severity: Severity;
  /** The other has ended. */
  readonly isOver: boolean;
  /** Since when that is so. */
  readonly sinceMs: number;
  /** For how long the alert stays hidden once the other has ended. */
  readonly lingerMs: number;
}

/** How an alert ended that some channel still believes to fire. */
export interface End {
  readonly alert: Alert;
  readonly endReason: EndReason;
  readonly atMs: number;
}

export interface RouteState {
  /** By name. */
  readonly channels: ReadonlyMap<string, ChannelState>;
  /** By the alert's key. */
  readonly runs: ReadonlyMap<string, Run>;
  readonly ends: ReadonlyMap<string, End>;
  /** The number of the next message. */
  readonly nextMessage: number;
}

export const NEW_CHANNEL: ChannelState = {
  notes: new Map(),
  groups: new Map(),
  gathered: [],
  leftOut: 0,
  underway: new Map(),
};

export const NO_NOTE: Note = { sent: undefined, gathered: undefined, failed: undefined };

export const NEW_GROUP: GroupTimes = {
  pendingMs: undefined,
  newsMs: undefined,
  sentMs: undefined,
  repeats: 0,
  repeatedMs: [],
};

export const EMPTY_ROUTE_STATE: RouteState = {
  channels: new Map(),
  runs: new Map(),
  ends: new Map(),
  nextMessage: 1,
};
