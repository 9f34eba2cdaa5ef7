// Sends each alert of a notification as an event to PagerDuty, one after the other: a trigger while it fires, an acknowledge once
// somebody has said in Gatewatch that they know, a resolve when it ends. An alert that was acknowledged before this channel was told
// of it is triggered and acknowledged.
// Of a digest, which tells of the past, only how each alert stands at its end is sent: nobody is paged for what is over. A standing
// message is told event by event, which changes nothing where PagerDuty knows it already.
// What was done is remembered: a trigger told again would open an incident anew that somebody has resolved there meanwhile.
import type { PagerDutyChannelSettings } from '../../config/channel/pagerduty-settings';
import { Secret } from '../../config/secret';
import { lastWords, type LastWord } from '../../notify/last-words';
import { describeNotification } from '../../notify/describe-notification';
import type { Notification, NotificationItem } from '../../notify/notification';
import type { Channel, Outcome, Thread } from '../channel';
import type { ChannelParts } from '../channel-parts';
import { postJson } from '../http/post-json';
import { receiverOf } from '../progress';
import { sendParts, type PartEnd } from '../send-parts';
import { tryBudget } from '../try-budget';
import { alertEvent, changeEvent, type EventAction, type PagerDutyDocument } from './pagerduty-event';
import { endOf } from './pagerduty-outcome';

export function pagerDutyChannel(settings: PagerDutyChannelSettings, parts: ChannelParts): Channel {
  const { name, type, delivery, sendsChanges, routingKey } = settings;
  // Keys of rulesets begin so, and take no change events (PagerDuty's 01-Overview.md, getting started).
  const takesChanges = sendsChanges && !routingKey.reveal().startsWith('R');
  return {
    name,
    type,
    delivery,
    send: (notification, thread) => sendAll(notification, thread, settings, parts),
    ...(takesChanges
      ? {
          sendChange: async (change) => {
            const document = changeEvent(change, parts.externalUrl);
            return (await enqueue('change/enqueue', document, settings.timeoutMs, settings, parts)).outcome;
          },
        }
      : {}),
  };
}

function sendAll(
  notification: Notification,
  thread: Thread | undefined,
  settings: PagerDutyChannelSettings,
  parts: ChannelParts,
): Promise<Outcome> {
  const { apiUrl, routingKey, timeoutMs } = settings;
  const events = eventsOf(notification, parts.externalUrl).map((event) => ({
    name: [event['dedup_key'], event['event_action']].join(':'),
    send: (leftMs: number) => enqueue('enqueue', event, leftMs, settings, parts),
  }));
  const of = { notificationId: notification.id, receiver: receiverOf(apiUrl, routingKey.reveal()) };
  return sendParts(events, of, thread, tryBudget(timeoutMs, parts.clock));
}

/** How each alert stands, in the order of the message. */
export function eventsOf(notification: Notification, clientUrl: string | undefined): PagerDutyDocument[] {
  const { notes } = describeNotification(notification);
  return lastWords(notification.items).flatMap((word) =>
    eventsOfAlert(word, (item, action) => alertEvent(item, action, clientUrl, notes)),
  );
}

/** PagerDuty drops an acknowledgement of what was not triggered. */
function eventsOfAlert(
  { item, trouble }: LastWord,
  event: (item: NotificationItem, action: EventAction) => PagerDutyDocument,
): PagerDutyDocument[] {
  if (item.occasion === 'resolved') return [event(item, 'resolve')];
  const isAcknowledged = item.occasion === 'acknowledged' || item.alert.state === 'acknowledged';
  const begun = item.occasion === 'acknowledged' ? trouble : item;
  return [
    ...(begun === undefined ? [] : [event(begun, 'trigger')]),
    ...(isAcknowledged ? [event(item, 'acknowledge')] : []),
  ];
}

async function enqueue(
  path: 'enqueue' | 'change/enqueue',
  document: PagerDutyDocument,
  timeoutMs: number,
  { apiUrl, routingKey }: PagerDutyChannelSettings,
  { clock, conversation }: ChannelParts,
): Promise<PartEnd> {
  const url = new Secret(`${apiUrl}/v2/${path}`);
  const answer = await postJson(
    url,
    { routing_key: routingKey.reveal(), ...document },
    timeoutMs,
    conversation,
  );
  return endOf(answer, clock.nowMs());
}
