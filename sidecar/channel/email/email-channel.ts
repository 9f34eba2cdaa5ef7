// Sends every notification as one mail to all receivers of the channel. The mails of one group of alerts are one conversation.
// A repeat of one notification has the same Message-ID; where some receivers have it already, it goes to the others only.
import type { EmailChannelSettings } from '../../config/channel/email-settings';
import type { Notification } from '../../notify/notification';
import type { Channel, Outcome, Thread } from '../channel';
import type { ChannelParts } from '../channel-parts';
import { emailMessage, type EmailMessage } from './email-message';
import { emailMime } from './email-mime';
import { readThread, writeThread, type EmailThread } from './email-thread';
import { deliverBySmtp } from './smtp-delivery';
import { outcomeOfDelivery } from './smtp-outcome';

export function emailChannel(settings: EmailChannelSettings, parts: ChannelParts): Channel {
  const { name, type, delivery } = settings;
  return {
    name,
    type,
    delivery,
    send: (notification, thread) => sendMail(notification, readThread(thread), settings, parts),
  };
}

async function sendMail(
  notification: Notification,
  thread: EmailThread | undefined,
  settings: EmailChannelSettings,
  { externalUrl, conversation }: ChannelParts,
): Promise<Outcome> {
  const message = emailMessage(notification, settings, thread, externalUrl);
  const all = message.to.map(({ address }) => address);
  const { unfinished } = thread ?? {};
  const before = unfinished?.notificationId === notification.id ? unfinished.holders : [];
  const to = all.filter((address) => !before.includes(address));
  if (to.length === 0) return { result: 'sent', thread: threadAfter(message, thread, undefined) };
  const envelope = { from: message.from.address, to };
  const delivery = await deliverBySmtp(settings, envelope, await emailMime(message), conversation);
  const outcome = outcomeOfDelivery(delivery, before.length);
  if (delivery.kind !== 'taken') return outcome;
  const left =
    outcome.result === 'retry'
      ? { notificationId: notification.id, holders: [...before, ...delivery.by] }
      : undefined;
  return { ...outcome, thread: threadAfter(message, thread, left) };
}

/** Whoever has the mail can get replies to it. */
function threadAfter(
  { messageId, subject }: EmailMessage,
  before: EmailThread | undefined,
  unfinished: EmailThread['unfinished'],
): Thread {
  const { rootId = messageId, subject: rootSubject = subject } = before ?? {};
  return writeThread({ rootId, lastId: messageId, subject: rootSubject, unfinished });
}
