// Sends every alert that fires as an event to Sentry, and resolves its issue when it ends. The issue is found by the event's id,
// which Sentry knows only once it has taken the event in, or, where the event is not there (it was sampled out, or the clock was
// set meanwhile), by the tag that all events of the alert have. Not found, it is looked for again for a few minutes, and then
// given up: others wait behind it.
// What fires is sent first, since the searches may hold up the rest. An issue is resolved only where the end is the last word on its
// alert: a digest may tell that it fires again.
import type { SentryApiSettings, SentryChannelSettings } from '../../config/channel/sentry-settings';
import { alertIdentity } from '../../notify/alert-identity';
import { describeNotification } from '../../notify/describe-notification';
import { lastWords } from '../../notify/last-words';
import type { Notification, NotificationItem } from '../../notify/notification';
import { postEnvelope, showEnvelope } from '../../sentry/post-envelope';
import type { Channel, Outcome } from '../channel';
import type { ChannelParts } from '../channel-parts';
import { outcomeOf } from '../http/outcome-of-answer';
import { receiverOf } from '../progress';
import { sendParts, type Part, type PartEnd } from '../send-parts';
import { tryBudget } from '../try-budget';
import { SentryApi, type ApiAnswer } from './sentry-api';
import { eventIdOf, issueEnvelope } from './sentry-issue';
import { tellHeard, tellSaid } from './tell-sentry';

/** Where the events of alerts go. */
export interface SentryProject {
  /** `undefined`: only Spotlight gets them, and nothing is ever resolved. */
  readonly envelopeUrl: string | undefined;
  readonly spotlightUrl: string | undefined;
  readonly environment: string;
  readonly release: string;
}

/** From the end of the alert; Sentry usually needs seconds. */
const SEARCH_MS = 180_000;

export function sentryChannel(settings: SentryChannelSettings, parts: ChannelParts): Channel {
  const { name, type, delivery, timeoutMs, resolving } = settings;
  const { clock, project } = parts;
  const receiver = receiverOf(
    project.envelopeUrl ?? '',
    ...(resolving ? [resolving.apiUrl, resolving.organization, resolving.project] : []),
  );
  return {
    name,
    type,
    delivery,
    send: (notification, thread) => {
      const all = [...openings(notification, parts), ...resolvings(notification.items, resolving, parts)];
      return sendParts(
        all,
        { notificationId: notification.id, receiver },
        thread,
        tryBudget(timeoutMs, clock),
      );
    },
  };
}

/** An issue that is open says no more by a second event. */
function openings(notification: Notification, parts: ChannelParts): Part[] {
  const { notes } = describeNotification(notification);
  return notification.items
    .filter(({ occasion }) => occasion !== 'acknowledged' && occasion !== 'resolved')
    .map((item) => ({
      name: eventIdOf(item),
      send: async (timeoutMs) =>
        partEnd(await open(issueEnvelope(item, parts.project, parts.clock.nowMs(), notes), timeoutMs, parts)),
    }));
}

function resolvings(
  items: readonly NotificationItem[],
  resolving: SentryApiSettings | undefined,
  parts: ChannelParts,
): Part[] {
  if (resolving === undefined || parts.project.envelopeUrl === undefined) return [];
  return lastWords(items)
    .filter(({ item }) => item.occasion === 'resolved')
    .map(({ item }) => ({
      name: `${alertIdentity(item)}:resolve`,
      send: async (timeoutMs) => partEnd(await resolve(item, resolving, timeoutMs, parts)),
    }));
}

/** Only a wish to be left alone is about the others too: events and issues are not asked for at one place. */
function partEnd(outcome: Outcome): PartEnd {
  return { outcome, isAboutAll: outcome.result === 'retry' && outcome.afterMs !== undefined };
}

const ENVELOPE_HEADERS = { 'content-type': 'application/x-sentry-envelope' };

/** @param text the envelope of an event */
async function open(
  text: string,
  timeoutMs: number,
  { project, clock, conversation }: ChannelParts,
): Promise<Outcome> {
  const { envelopeUrl, spotlightUrl } = project;
  const url = envelopeUrl ?? spotlightUrl;
  if (url !== undefined)
    tellSaid(conversation, { method: 'POST', url, headers: ENVELOPE_HEADERS, body: text });
  const shown = spotlightUrl && showEnvelope(spotlightUrl, text);
  const answer = await (envelopeUrl === undefined ? shown : postEnvelope(envelopeUrl, text, timeoutMs));
  if (answer) tellHeard(conversation, answer);
  if (!answer) return { result: 'refused', reason: 'there is no Sentry to send it to' };
  return outcomeOf(answer.kind === 'answer' ? { ...answer, body: '', broken: false } : answer, clock.nowMs());
}

async function resolve(
  item: NotificationItem,
  settings: SentryApiSettings,
  timeoutMs: number,
  { clock, conversation }: ChannelParts,
): Promise<Outcome> {
  const api = new SentryApi(settings, timeoutMs, conversation);
  const outcome = (answer: ApiAnswer, question: string): Outcome => {
    const ended = outcomeOf(answer, clock.nowMs());
    return ended.result === 'sent' ? ended : { ...ended, reason: `${question}: ${ended.reason}` };
  };
  const found = (answer: ApiAnswer, question: string): Outcome => {
    const ended = outcome(answer, question);
    if (ended.result !== 'sent' || answer.kind === 'no_answer' || !answer.broken) return ended;
    // Half an answer says nothing of what is not in it.
    return { result: 'retry', reason: `${question}: answered, but broke off`, afterMs: undefined };
  };
  const event = await api.issueOfEvent(eventIdOf(item));
  let issueIds: string[];
  if (event.kind === 'answer' && event.status === 404) {
    const issues = await api.issuesWithTag('alert', alertIdentity(item));
    const searched = found(issues, 'search of its issue');
    if (issues.kind === 'no_answer' || searched.result !== 'sent') return searched;
    issueIds = idsOf(issues.document, 'id');
  } else {
    const asked = found(event, 'its event');
    if (event.kind === 'no_answer' || asked.result !== 'sent') return asked;
    issueIds = idsOf([event.document], 'groupId');
  }
  if (issueIds.length === 0) return notFound(item, clock.nowMs());
  for (const issueId of issueIds) {
    const resolved = outcome(await api.resolve(issueId), 'its issue');
    if (resolved.result !== 'sent') return resolved;
  }
  return { result: 'sent' };
}

function notFound({ atMs }: NotificationItem, nowMs: number): Outcome {
  const reason = 'Sentry has no unresolved issue of it';
  // Where the clock was set back it is looked for as if it had just ended.
  if (Math.abs(nowMs - atMs) > SEARCH_MS) return { result: 'refused', reason };
  return { result: 'retry', reason, afterMs: undefined };
}

/** Ids stand in an address: anything but digits is no id. */
function idsOf(documents: unknown, key: string): string[] {
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document: unknown) => {
    const id =
      typeof document === 'object' && document !== null
        ? (document as Record<string, unknown>)[key]
        : undefined;
    return (typeof id === 'string' || typeof id === 'number') && /^\d{1,20}$/.test(String(id))
      ? [String(id)]
      : [];
  });
}
