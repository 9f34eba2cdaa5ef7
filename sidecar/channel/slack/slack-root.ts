// The first message of a group of alerts, which always shows how the group stands. A notification tells only what is new, so the
// channel remembers each alert that it has told of: this is that memory, and the message that is made of it.
// MOST_ALERTS are remembered, what fires before what is over; of those that have no room in a message only the title.
import { z } from 'zod';
import { SEVERITIES, severityRank, type Severity } from '../../../kong-plugin/contract/severity';
import { alertId } from '../../alert/alert-key';
import { describeAlert } from '../../notify/describe-alert';
import { describeInsteadOf } from '../../notify/describe-notification';
import { labelsInBrackets } from '../../notify/describe-subject';
import { lastWords } from '../../notify/last-words';
import { LINK_NAMES, type Notification, type NotificationItem } from '../../notify/notification';
import { layOut, type SlackEntry, type SlackMessage } from './slack-layout';
import { MOST_BLOCKS_BYTES } from './slack-limits';

/** As they stand in the message. */
const STATES = ['firing', 'acknowledged', 'resolved'] as const;

type RootState = (typeof STATES)[number];

export interface RootAlert extends SlackEntry {
  readonly id: string;
  readonly state: RootState;
  readonly severity: Severity;
}

/** A name of each has room on the disk; fewer are in a message. */
export const MOST_ALERTS = 200;

/** What is known after a notification. */
export function alertsAfter(before: readonly RootAlert[], notification: Notification): RootAlert[] {
  const told = lastWords(notification.items).map(({ item }) => rootAlertOf(item));
  const known = new Map([...before, ...told].map((alert) => [alert.id, alert]));
  return withoutUnseen([...known.values()], told, notification)
    .sort(
      (a, b) =>
        STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
        severityRank(b.severity) - severityRank(a.severity),
    )
    .slice(0, MOST_ALERTS);
}

/** Where fewer fire than is known, some have ended unseen: by a digest, or by a notification that was lost. */
function withoutUnseen(
  known: readonly RootAlert[],
  told: readonly RootAlert[],
  { firing }: Notification,
): RootAlert[] {
  if (firing === 0) return known.map(over);
  if (firingOf(known) <= firing) return [...known];
  // Which of them, nobody says.
  return known.filter((alert) => alert.state === 'resolved' || told.includes(alert));
}

/** Acknowledged ones too. */
function firingOf(alerts: readonly RootAlert[]): number {
  return alerts.filter(({ state }) => state !== 'resolved').length;
}

export function rootMessage(alerts: readonly RootAlert[], notification: Notification): SlackMessage {
  const { leftOut, groupLabels, items, firing } = notification;
  const labels = { ...groupLabels, ...items[0]?.externalLabels };
  const [only] = alerts;
  const isOne = alerts.length === 1 && leftOut === 0;
  const unknown = leftOut > 0 ? 0 : firing - firingOf(alerts);
  return layOut({
    title: isOne && only ? only.title : groupTitle(alerts, labels),
    isQuiet: false,
    entries: alerts,
    notes: [
      ...describeInsteadOf(notification),
      ...(leftOut > 0 ? [`${leftOut.toLocaleString('en-US')} more had no room in this message.`] : []),
      ...(unknown > 0 ? [`${unknown.toLocaleString('en-US')} more of this group fire.`] : []),
      ...(alerts.length === MOST_ALERTS ? [`Only ${MOST_ALERTS} alerts are counted here.`] : []),
    ],
  });
}

function rootAlertOf(item: NotificationItem): RootAlert {
  const state = stateOf(item);
  // Told first of an alert that somebody has acknowledged already, it shows that too.
  const { title, sentences } = describeAlert(
    state === 'acknowledged' ? { ...item, occasion: 'acknowledged' } : item,
  );
  const { alertKey, alert, links } = item;
  return {
    id: alertId(alertKey),
    state,
    severity: alert.severity,
    title,
    text: sentences.join('\n'),
    links,
  };
}

function stateOf({ occasion, alert }: NotificationItem): RootState {
  if (occasion === 'resolved') return 'resolved';
  return occasion === 'acknowledged' || alert.state === 'acknowledged' ? 'acknowledged' : 'firing';
}

function over(alert: RootAlert): RootAlert {
  if (alert.state === 'resolved') return alert;
  const title = `Resolved: ${alert.title.replace(/^[A-Za-z]+: /, '')}`;
  return { ...alert, state: 'resolved', title, text: '', links: [] };
}

/** "CRITICAL: 2 alerts fire, 1 acknowledged, 3 resolved (service checkout)" */
function groupTitle(alerts: readonly RootAlert[], labels: Readonly<Record<string, string>>): string {
  const count = (state: RootState): number => alerts.filter((alert) => alert.state === state).length;
  const [firing, acknowledged, resolved] = [count('firing'), count('acknowledged'), count('resolved')];
  const [worst] = alerts;
  const parts = [
    ...(firing > 0 ? [`${firing} ${firing === 1 ? 'alert fires' : 'alerts fire'}`] : []),
    ...(acknowledged > 0 ? [`${acknowledged} acknowledged`] : []),
    ...(resolved > 0 ? [`${resolved} resolved`] : []),
  ];
  const head =
    firing > 0 ? (worst?.severity.toUpperCase() ?? '') : acknowledged > 0 ? 'Acknowledged' : 'Resolved';
  return `${head}: ${parts.join(', ')}${labelsInBrackets(labels)}`;
}

/** One text, short enough for the disk. */
export function encodeAlerts(alerts: readonly RootAlert[]): string {
  let room = MOST_BLOCKS_BYTES;
  return JSON.stringify(
    alerts.map(({ id, state, severity, title, text, links }) => {
      const urls = links.map(({ name, url }) => [name, url]);
      room -= text.length + JSON.stringify(urls).length;
      return room < 0 ? [id, state, severity, title, '', []] : [id, state, severity, title, text, urls];
    }),
  );
}

/** Nothing where it is not as it was written. */
export function decodeAlerts(text: string | undefined): RootAlert[] {
  const { data } = shape.safeParse(readJson(text));
  return (data ?? []).map(([id, state, severity, title, words, urls]) => ({
    id,
    state,
    severity,
    title,
    text: words,
    links: urls.map(([name, url]) => ({ name, url })),
  }));
}

const shape = z.array(
  z.tuple([
    z.string(),
    z.enum(STATES),
    z.enum(SEVERITIES),
    z.string(),
    z.string(),
    z.array(z.tuple([z.enum(LINK_NAMES), z.string()])),
  ]),
);

function readJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
}
