// Speaks as an app's bot. The first notification of a group is a message; what happens then is a reply in its thread, and the message
// itself is changed so that it always shows how the group stands. Only those who follow a thread see its replies, so that trouble
// is shown in the channel too (`reply_broadcast`); that somebody has acknowledged or that it is over is seen in the message.
// The message first: where the reply then fails, the repeat only replies. A message that was deleted, or may not be changed any
// more, is followed by a new one. Slack has no published way to say that a post is a repeat: one whose answer was lost may stand
// there twice. A digest is a message of its own, without a thread.
import type { SlackBotSettings, SlackChannelSettings } from '../../config/channel/slack-settings';
import type { Notification } from '../../notify/notification';
import type { Channel, Outcome, Thread } from '../channel';
import type { ChannelParts } from '../channel-parts';
import { SlackApi, type Posted } from './slack-api';
import { slackMessage, slackReply } from './slack-message';
import { alertsAfter, decodeAlerts, encodeAlerts, rootMessage, type RootAlert } from './slack-root';

export function slackBotChannel(
  { name, type, delivery, timeoutMs }: SlackChannelSettings,
  bot: SlackBotSettings,
  { clock, conversation }: ChannelParts,
): Channel {
  return {
    name,
    type,
    delivery,
    send: async (notification, thread) => {
      const api = new SlackApi(bot, timeoutMs, clock, conversation);
      if (notification.kind === 'digest') return tellDigest(notification, api);
      return new SlackThread(notification, bot.conversation, api).tell(thread);
    },
  };
}

async function tellDigest(notification: Notification, api: SlackApi): Promise<Outcome> {
  const result = await api.post(slackMessage(notification));
  return result.kind === 'done' ? { result: 'sent' } : result.failure;
}

class SlackThread {
  readonly #notification: Notification;
  readonly #conversation: string;
  readonly #api: SlackApi;

  constructor(notification: Notification, conversation: string, api: SlackApi) {
    this.#notification = notification;
    this.#conversation = conversation;
    this.#api = api;
  }

  async tell(thread: Thread = {}): Promise<Outcome> {
    const alerts = alertsAfter(decodeAlerts(thread['alerts']), this.#notification);
    const root = this.#rootOf(thread);
    if (!root) return this.#begin(alerts);
    if (thread['shownId'] !== this.#notification.id) {
      const updated = await this.#api.update(root, rootMessage(alerts, this.#notification));
      if (updated.kind === 'gone') return this.#begin(alerts);
      if (updated.kind === 'failed') return updated.failure;
    }
    // The state is told again and again where nothing has changed.
    if (this.#notification.kind === 'standing') return this.#sent(root, alerts);
    const replied = await this.#api.post(slackReply(this.#notification), {
      thread: root.ts,
      isBroadcast: isTrouble(this.#notification),
    });
    if (replied.kind === 'gone') return this.#begin(alerts);
    if (replied.kind === 'done') return this.#sent(root, alerts);
    const shown = { ...this.#threadOf(root, alerts), shownId: this.#notification.id };
    return { ...replied.failure, thread: shown };
  }

  async #begin(alerts: readonly RootAlert[]): Promise<Outcome> {
    const result = await this.#api.post(rootMessage(alerts, this.#notification));
    if (result.kind !== 'done') return result.failure;
    // It is there, but cannot be found again: what comes next begins anew.
    return result.posted === undefined ? { result: 'sent', thread: {} } : this.#sent(result.posted, alerts);
  }

  #sent(root: Posted, alerts: readonly RootAlert[]): Outcome {
    return { result: 'sent', thread: this.#threadOf(root, alerts) };
  }

  #threadOf({ channel, ts }: Posted, alerts: readonly RootAlert[]): Thread {
    return { conversation: this.#conversation, channel, ts, alerts: encodeAlerts(alerts) };
  }

  /** `undefined` where there is none, or where it is in another channel than is set now. */
  #rootOf({ conversation, channel, ts }: Thread): Posted | undefined {
    if (conversation !== this.#conversation || channel === undefined || ts === undefined) return undefined;
    return { channel, ts };
  }
}

function isTrouble({ items }: Notification): boolean {
  return items.some(({ occasion }) => occasion !== 'acknowledged' && occasion !== 'resolved');
}
