// In: a notification, and what its group's earlier mails were. Out: a mail, whole but for its encoding. The same in gives the same
// out, so that a repeat after a crash is the same mail for whoever compares Message-IDs.
//
// One group's mails are one conversation. Gmail wants the same subject and References to earlier mails for that
// (https://workspaceupdates.googleblog.com/2019/03/threading-changes-in-gmail-conversation-view.html), and Outlook compares subjects
// without a prefix of at most three characters and a colon
// (https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxcmail/285b2511-9f7b-45d9-994e-98b097ab0ae8). So a reply
// has "Re: " and the first mail's subject, and not [RESOLVED], which is no prefix to Outlook and which Gmail does not see
// (https://github.com/TwiN/gatus/issues/1563). That it is over then stands where a list of mails shows it as well: behind the
// sender's name, and first in the text.
import { createHash } from 'node:crypto';
import { severityRank } from '../../../kong-plugin/contract/severity';
import type { EmailChannelSettings } from '../../config/channel/email-settings';
import {
  describeNotification,
  plainText,
  type DescribedNotification,
} from '../../notify/describe-notification';
import { isFiring, type Notification } from '../../notify/notification';
import { domainOf, readAddress, type EmailAddress } from './email-address';
import { emailHtml } from './email-html';
import type { EmailThread } from './email-thread';
import { toneOfAll } from './email-tone';

export interface EmailMessage {
  /** In angle brackets, as all ids here. */
  readonly messageId: string;
  /** The mails it is a reply to: the first of its group, and the latest. Empty where it is the first. */
  readonly references: readonly string[];
  readonly from: EmailAddress;
  readonly to: readonly EmailAddress[];
  readonly subject: string;
  /** When it was written, Unix ms. */
  readonly dateMs: number;
  /** Further ones, by name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string;
}

/** Longer than any list of mails shows, and short enough for every server. */
export const MAX_SUBJECT_LENGTH = 200;
const MAX_PREVIEW_LENGTH = 200;

/**
 * @param thread `undefined` for the first mail of a group
 * @param externalUrl where people reach the sidecar
 */
export function emailMessage(
  notification: Notification,
  settings: EmailChannelSettings,
  thread: EmailThread | undefined,
  externalUrl: string | undefined,
): EmailMessage {
  const described = describeNotification(notification);
  const from = readAddress(settings.from);
  const messageId = messageIdOf(notification, from);
  // A digest tells of many groups, and belongs to none.
  const earlier = notification.kind === 'digest' ? undefined : thread;
  const references = [...new Set(earlier === undefined ? [] : [earlier.rootId, earlier.lastId])].filter(
    // Of a mail that some receivers have already, on its way to the others.
    (id) => id !== messageId,
  );
  const isReply = references.length > 0;
  const foot = `Sent by Gatewatch through its channel ${settings.name}.`;
  return {
    messageId,
    references,
    from: isReply ? { ...from, name: `${from.name || 'Gatewatch'} (${stateOf(notification)})` } : from,
    to: [...new Map(settings.to.map(readAddress).map((one) => [one.address, one])).values()],
    subject: isReply && earlier !== undefined ? `Re: ${oneLine(earlier.subject)}` : rootSubject(described),
    dateMs: notification.createdMs,
    headers: headersOf(notification, settings.name, from),
    text: textOf(described, foot, externalUrl),
    html: emailHtml(described, { preview: previewOf(described, isReply), foot, externalUrl }),
  };
}

/** The subject of a mail that is no reply. */
export function rootSubject({ title }: DescribedNotification): string {
  return cut(oneLine(title), MAX_SUBJECT_LENGTH);
}

function messageIdOf({ id, channel, createdMs }: Notification, from: EmailAddress): string {
  const seed = JSON.stringify([id, channel, createdMs]);
  return `<${createHash('sha256').update(seed).digest('hex').slice(0, 32)}.gatewatch@${domainOf(from)}>`;
}

function headersOf(notification: Notification, channel: string, from: EmailAddress): Record<string, string> {
  const { items } = notification;
  const news = items.filter(({ occasion }) => occasion !== 'resolved');
  const [worst] = [...(news.length === 0 ? items : news)]
    .map(({ alert }) => alert.severity)
    .sort((a, b) => severityRank(b) - severityRank(a));
  const isUrgent = items.some(
    ({ alert, occasion }) =>
      alert.severity === 'critical' && occasion !== 'resolved' && occasion !== 'acknowledged',
  );
  return {
    // RFC 3834, 5: nobody's absence note answers it.
    'Auto-Submitted': 'auto-generated',
    // The same for Exchange, which goes by its own header; reports that a mail was not delivered still come:
    // https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxcmail/ced68690-498a-4567-9d14-5c01f974d8b1
    'X-Auto-Response-Suppress': 'OOF, AutoReply',
    // RFC 2919: what the mails of one channel have in common, for a rule of the mailbox.
    'List-Id': `Gatewatch ${channel} <${channel}.gatewatch.${domainOf(from)}>`,
    // RFC 2156: an exclamation mark in Outlook.
    ...(isUrgent ? { Importance: 'high' } : {}),
    'X-Gatewatch-State': isFiring(notification) ? 'firing' : 'resolved',
    ...(worst === undefined ? {} : { 'X-Gatewatch-Severity': worst }),
  };
}

function stateOf({ items, firing }: Notification): string {
  const tone = toneOfAll(items);
  const isOver = items.every(({ occasion }) => occasion === 'resolved');
  return isOver && firing > 0 ? 'partly resolved' : tone.word.toLowerCase();
}

function textOf(described: DescribedNotification, foot: string, externalUrl: string | undefined): string {
  // RFC 3676, 4.3: below two dashes and a space is a signature.
  const signature = ['-- ', foot, ...(externalUrl === undefined ? [] : [externalUrl])];
  return `${described.title}\n\n${plainText(described)}\n\n${signature.join('\n')}\n`;
}

/** The subject of a reply says nothing new. */
function previewOf({ title, items }: DescribedNotification, isReply: boolean): string {
  const [first] = items;
  const told = first?.title === title ? first.sentences : items.map((item) => `${item.title}.`);
  return cut(oneLine([...(isReply ? [`${title}.`] : []), ...told].join(' ')), MAX_PREVIEW_LENGTH);
}

/** Without anything that could end a header's line, also after a reader has decoded what looks like an encoded word (RFC 2047). */
function oneLine(text: string): string {
  return text
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .replaceAll('=?', '= ?')
    .trim();
}

function cut(text: string, maxLength: number): string {
  const characters = Array.from(text);
  return characters.length <= maxLength ? text : `${characters.slice(0, maxLength - 1).join('')}…`;
}
