// The words of a whole message: one alert as itself, several as a list.
import { describeAlert, type Description } from './describe-alert';
import { labelsInBrackets } from './describe-subject';
import { lastWords } from './last-words';
import type { Link, Notification, NotificationItem } from './notification';

export interface DescribedItem extends Description {
  readonly item: NotificationItem;
  readonly links: readonly Link[];
}

export interface DescribedNotification {
  /** One line for all of it. */
  readonly title: string;
  readonly items: readonly DescribedItem[];
  /** What had no room, or is to be known of the message as a whole. */
  readonly notes: readonly string[];
}

export function describeNotification(notification: Notification): DescribedNotification {
  const items = notification.items.map((item) => ({ ...describeAlert(item), item, links: item.links }));
  const { leftOut, repeat } = notification;
  const [first] = items;
  const goingOn = stillFiring(notification);
  const isOne = items.length === 1 && leftOut === 0 && notification.kind === 'group';
  return {
    title: isOne && first ? first.title : describeGroup(notification),
    items,
    notes: [
      ...(leftOut > 0 ? [`${leftOut.toLocaleString('en-US')} more had no room in this message.`] : []),
      ...(goingOn > 0 ? [`${goingOn.toLocaleString('en-US')} more of this group still fire.`] : []),
      ...(repeat > 0 ? [`This is reminder ${repeat}.`] : []),
      ...describeInsteadOf(notification),
    ],
  };
}

/** In whose place it is told, and why. */
export function describeInsteadOf({ insteadOf }: Notification): string[] {
  return insteadOf ? [`Channel ${insteadOf.channel} did not take this: ${insteadOf.reason}.`] : [];
}

/** All of it as lines of plain text: the title, then what is said of each alert. */
export function plainText(described: DescribedNotification): string {
  const { title, items, notes } = described;
  const alerts = items.map((item) =>
    [
      ...(items.length === 1 && item.title === title ? [] : [item.title]),
      ...item.sentences,
      ...item.links.map(({ name, url }) => `${name}: ${url}`),
    ].join('\n'),
  );
  return [...alerts, ...(notes.length === 0 ? [] : [notes.join('\n')])].join('\n\n');
}

/** Where all that is told of has ended, what goes on would be out of sight. */
function stillFiring({ kind, items, firing }: Notification): number {
  return kind === 'group' && items.every(({ occasion }) => occasion === 'resolved') ? firing : 0;
}

/** "CRITICAL: 3 alerts fire, 1 resolved (service=checkout)" */
function describeGroup({ kind, items, leftOut, groupLabels }: Notification): string {
  const words = lastWords(items);
  const resolved = words.filter(({ item }) => item.occasion === 'resolved').length;
  const firing = words.length - resolved;
  const worst = items.find(({ occasion }) => occasion !== 'resolved')?.alert.severity;
  const parts = [
    ...(firing > 0 ? [`${firing} ${firing === 1 ? 'alert fires' : 'alerts fire'}`] : []),
    ...(resolved > 0 ? [`${resolved} resolved`] : []),
    ...(leftOut > 0 ? [`${leftOut} more`] : []),
  ];
  const head = kind === 'digest' ? 'Digest' : worst?.toUpperCase();
  return `${head === undefined ? '' : `${head}: `}${parts.join(', ')}${labelsInBrackets({ ...groupLabels, ...items[0]?.externalLabels })}`;
}
