// A notification as one message of Slack that stands for itself, and as the reply in a thread that tells what has changed.
import { describeNotification, type DescribedItem } from '../../notify/describe-notification';
import type { Notification } from '../../notify/notification';
import { layOut, type SlackEntry, type SlackMessage } from './slack-layout';

export function slackMessage(notification: Notification): SlackMessage {
  const { title, items, notes } = describeNotification(notification);
  return layOut({ title, isQuiet: false, entries: items.map(entryOf), notes });
}

/** Without a header: what it belongs to stands above it. */
export function slackReply(notification: Notification): SlackMessage {
  const { title, items, notes } = describeNotification(notification);
  return layOut({ title, isQuiet: true, entries: items.map(entryOf), notes });
}

function entryOf({ title, sentences, links }: DescribedItem): SlackEntry {
  return { title, text: sentences.join('\n'), links };
}
