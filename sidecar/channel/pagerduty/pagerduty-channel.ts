// Sends each alert of a notification as an event to PagerDuty, one after the other: a trigger while it fires, an acknowledge once
// somebody has said in Gatewatch that they know, a resolve when it ends. An alert that was acknowledged before this channel was told
// of it is triggered and acknowledged.
// Of a digest, which tells of the past, only how each alert stands at its end is sent: nobody is paged for what is over. A standing
// message is told event by event, which changes nothing where PagerDuty knows it already.
// Where an event may succeed later, what was done is remembered, and the repeat goes on from there: a trigger told again would open
// an incident anew that somebody has resolved there meanwhile. An event that is refused does not keep the others from being sent.
import type { PagerDutyChannelSettings } from '../../config/channel/pagerduty-settings';
import { Secret } from '../../config/secret';
import type { Notification, NotificationItem } from '../../notify/notification';
import type { Channel, Outcome, Thread } from '../channel';
import type { ChannelParts } from '../channel-parts';
import { postJson } from '../http/post-json';
import { alertEvent, changeEvent, type EventAction, type PagerDutyDocument } from './pagerduty-event';
import { endOf, type EventEnd } from './pagerduty-outcome';

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

async function sendAll(
  notification: Notification,
  thread: Thread | undefined,
  settings: PagerDutyChannelSettings,
  parts: ChannelParts,
): Promise<Outcome> {
  const { clock, externalUrl } = parts;
  const endMs = clock.monotonicMs() + settings.timeoutMs;
  const events = eventsOf(notification, externalUrl);
  const before = readProgress(thread, notification.id);
  const refusals: string[] = [];
  let refused = before.refused;
  /** So that the same notification, sent again by hand, begins anew. */
  const ended = thread === undefined ? {} : { thread: {} };
  for (const [index, event] of events.entries()) {
    if (index < before.done) continue;
    const leftMs = endMs - clock.monotonicMs();
    const { outcome, isAboutAll } =
      leftMs > 0 ? await enqueue('enqueue', event, Math.ceil(leftMs), settings, parts) : NO_TIME;
    if (outcome.result === 'sent') continue;
    if (outcome.result === 'retry') {
      const reason = `${outcome.reason}${spanOf(index, events.length)}`;
      return { ...outcome, reason, thread: writeProgress(notification.id, { done: index, refused }) };
    }
    if (isAboutAll) return { ...outcome, ...ended };
    refusals.push(outcome.reason);
    refused += 1;
  }
  if (refused === 0) return { result: 'sent', ...ended };
  const reasons = refusals.length === 0 ? '' : `: ${[...new Set(refusals)].join('; ')}`;
  const reason = `${refused} of ${events.length} events refused${reasons}`;
  return { result: 'refused', reason, ...ended };
}

const NO_TIME: EventEnd = {
  outcome: { result: 'retry', reason: 'no time left', afterMs: undefined },
  isAboutAll: true,
};

/** How far it came, where there is something to say. */
function spanOf(done: number, all: number): string {
  return all === 1 ? '' : ` (${done} of ${all} events are done)`;
}

/** The last word on each alert, in the order of the message. */
export function eventsOf({ items }: Notification, clientUrl: string | undefined): PagerDutyDocument[] {
  const last = new Map(items.map((item) => [item.alertKey, item]));
  return [...last.values()].flatMap((item) =>
    actionsOf(item).map((action) => alertEvent(item, action, clientUrl)),
  );
}

function actionsOf({ occasion, alert }: NotificationItem): EventAction[] {
  if (occasion === 'resolved') return ['resolve'];
  if (occasion === 'acknowledged') return ['acknowledge'];
  return alert.state === 'acknowledged' ? ['trigger', 'acknowledge'] : ['trigger'];
}

async function enqueue(
  path: 'enqueue' | 'change/enqueue',
  document: PagerDutyDocument,
  timeoutMs: number,
  { apiUrl, routingKey }: PagerDutyChannelSettings,
  { clock, conversation }: ChannelParts,
): Promise<EventEnd> {
  const url = new Secret(`${apiUrl}/v2/${path}`);
  const answer = await postJson(
    url,
    { routing_key: routingKey.reveal(), ...document },
    timeoutMs,
    conversation,
  );
  return endOf(answer, clock.nowMs());
}

/** Of the events of one notification. */
interface Progress {
  /** From the first on. */
  readonly done: number;
  /** Of those. */
  readonly refused: number;
}

function writeProgress(notificationId: string, { done, refused }: Progress): Thread {
  return { notification: notificationId, done: String(done), refused: String(refused) };
}

function readProgress(thread: Thread | undefined, notificationId: string): Progress {
  if (thread?.['notification'] !== notificationId) return { done: 0, refused: 0 };
  return { done: countOf(thread['done']), refused: countOf(thread['refused']) };
}

function countOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : 0;
}
