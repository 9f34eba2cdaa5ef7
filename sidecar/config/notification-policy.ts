// Who is told of which alert, when, and when not. Times are whole ms; a time of day is in minutes since midnight.
import type { Severity } from '../../kong-plugin/contract/severity';

/** The labels of an alert. Those of a scope that it does not have are empty. */
export const ALERT_LABELS = [
  'rule',
  'kind',
  'level',
  'severity',
  'service',
  'operation',
  'error_type',
  'instance',
  'upstream',
  'target',
] as const;

export type AlertLabel = (typeof ALERT_LABELS)[number];

export type AlertLabels = Readonly<Record<AlertLabel, string>>;

/** As in Alertmanager: equal, not equal, matches and does not match an anchored regular expression. */
export interface Matcher {
  readonly label: AlertLabel;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** All of them must match. */
export type Matchers = readonly Matcher[];

/** While an alert that matches `source` fires, those that match `target` and have the same `equal` labels are not told of. */
export interface Inhibition {
  readonly source: Matchers;
  readonly target: Matchers;
  readonly equal: readonly AlertLabel[];
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export type Weekday = (typeof WEEKDAYS)[number];

/** Times of day that come back. `to` before or at `from`: into the next day, which then counts to the day it began on. */
export interface DailyTimes {
  readonly days: readonly Weekday[];
  readonly fromMinute: number;
  readonly toMinute: number;
  /** Of the IANA list: `Europe/Berlin`. */
  readonly timeZone: string;
}

/** Alerts that match are not told of at these times. */
export interface MaintenanceWindow {
  readonly name: string;
  readonly matchers: Matchers;
  readonly times: DailyTimes;
  /** The last day on which it begins, in its time zone: 2027-03-31. */
  readonly untilDay: string;
  readonly comment: string;
}

/** Alerts of these severities wait at these times, and are told together in the end. */
export interface QuietHours {
  readonly severities: readonly Severity[];
  readonly times: DailyTimes;
}

/** Alerts of these severities are told together, that often. */
export interface Digest {
  readonly severities: readonly Severity[];
  readonly everyMs: number;
}

/** Channels that are told once an alert has fired for `afterMs` and nobody has acknowledged it. */
export interface EscalationStep {
  readonly afterMs: number;
  /** Their names. */
  readonly channels: readonly string[];
  readonly severities: readonly Severity[];
}

export interface NotificationPolicy {
  /** Alerts that agree in these labels are told in one message. */
  readonly groupBy: readonly AlertLabel[];
  /** How long the first message of a group waits for others. */
  readonly groupWaitMs: number;
  /** The least time between two messages of a group to one channel, unless one is a repeat, or tells of something more severe. */
  readonly groupIntervalMs: number;
  /** When a group that still fires is told again; each further time `repeatFactor` times later. `undefined`: never. */
  readonly repeatIntervalMs: number | undefined;
  readonly repeatFactor: number;
  /** Of one group to one channel, in 24 hours. */
  readonly mostRepeatsPerDay: number;
  readonly escalation: readonly EscalationStep[];
  readonly inhibitions: readonly Inhibition[];
  readonly maintenance: readonly MaintenanceWindow[];
  readonly quietHours: QuietHours | undefined;
  readonly digest: Digest | undefined;
}

/** Where people are sent; each may hold placeholders in braces. `undefined`: the message has no such link. */
export interface LinkSettings {
  /** Under which address people reach the sidecar. */
  readonly externalUrl: string | undefined;
  readonly dashboardUrl: string | undefined;
  readonly prometheusUrl: string | undefined;
  readonly sentryUrl: string | undefined;
  readonly runbookUrl: string | undefined;
}

/** Where Kong is asked how it is. */
export interface KongSettings {
  /** http addresses of status APIs, such as http://127.0.0.1:8101; empty: Kong is not watched. */
  readonly statusUrls: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
}
