// Tells every member of a cluster of Alertmanagers, at the same time and each by itself, of what fires and what is over
// (https://prometheus.io/docs/alerting/latest/alerts_api/). Sending it again changes nothing. All of it ends within the timeout.
import type { Dispatcher } from 'undici';
import type { Clock } from '../../clock';
import type { AlertmanagerChannelSettings } from '../../config/channel/alertmanager-settings';
import { Secret } from '../../config/secret';
import type { Notification } from '../../notify/notification';
import type { Channel, Conversation, Outcome, Thread } from '../channel';
import type { ChannelParts } from '../channel-parts';
import { outcomeOf } from '../http/outcome-of-answer';
import { receiverAgent } from '../http/receiver-agent';
import { sendRequest } from '../http/send-request';
import { tryBudget, type TryBudget } from '../try-budget';
import { clusterOutcome } from './cluster-outcome';
import { postableAlerts } from './postable-alerts';

/** To a request, as Prometheus has it: https://github.com/prometheus/prometheus/blob/main/notifier/manager.go */
export const MAX_ALERTS = 256;

/** So many tellings until an alert ends by itself: https://github.com/prometheus/prometheus/blob/main/rules/alerting.go */
const VALID_TELLINGS = 4;

/** However often it is told: a restart, a try that fails and clocks that differ must not end an alert. Prometheus' default. */
const MIN_RESEND_INTERVAL_MS = 60_000;

export function alertmanagerChannel(
  settings: AlertmanagerChannelSettings,
  { clock, conversation }: ChannelParts,
): Channel {
  const { name, type, delivery, resendIntervalMs, timeoutMs } = settings;
  const urls = settings.urls.map(alertsAddress);
  const validMs = validMsOf(resendIntervalMs);
  const dispatcher = receiverAgent({ ca: settings.ca, allowsPrivateAddresses: true });

  const send = async (notification: Notification, told: Thread = {}): Promise<Outcome> => {
    const leftMs = tryBudget(timeoutMs, clock);
    const postable = postableAlerts(notification, { validMs, nowMs: clock.nowMs(), told });
    const bodies = inParts(postable.alerts).map((part) => JSON.stringify(part));
    const held = urls.map(() => new HeldConversation());
    const tellings = urls.map((url, index) =>
      tellMember(url, bodies, leftMs, { clock, dispatcher, conversation: conversation && held[index] }),
    );
    const outcome = clusterOutcome(await Promise.all(tellings));
    if (conversation) for (const one of held) one.repeatTo(conversation);
    return outcome.result === 'sent' ? { ...outcome, thread: postable.told } : outcome;
  };
  return { name, type, delivery, send };
}

interface MemberParts {
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly conversation: Conversation | undefined;
}

/** One part that is refused keeps none of the others from being told. */
async function tellMember(
  url: Secret,
  bodies: readonly string[],
  leftMs: TryBudget,
  { clock, dispatcher, conversation }: MemberParts,
): Promise<Outcome> {
  const headers = { 'content-type': 'application/json' };
  let refused: Outcome | undefined;
  for (const body of bodies) {
    const request = { url, method: 'POST', headers, body, timeoutMs: leftMs(), dispatcher } as const;
    const outcome = outcomeOf(await sendRequest(request, conversation), clock.nowMs());
    if (outcome.result === 'retry') return outcome;
    if (outcome.result === 'refused') refused = outcome;
  }
  return refused ?? { result: 'sent' };
}

/** For how long an alert holds that nobody tells of any more. */
export function validMsOf(resendIntervalMs: number): number {
  return VALID_TELLINGS * Math.max(resendIntervalMs, MIN_RESEND_INTERVAL_MS);
}

/** Of a member's API. */
export function alertsAddress(url: Secret): Secret {
  const text = url.reveal();
  if (!URL.canParse(text)) return url;
  const address = new URL(text);
  address.pathname = `${address.pathname.replace(/\/+$/, '')}/api/v2/alerts`;
  return new Secret(address.href);
}

function inParts<Entry>(entries: readonly Entry[]): Entry[][] {
  const parts: Entry[][] = [];
  for (let index = 0; index < entries.length; index += MAX_ALERTS)
    parts.push(entries.slice(index, index + MAX_ALERTS));
  return parts;
}

/** What is said to several at a time, told of one after the other. */
class HeldConversation implements Conversation {
  readonly #lines: ((to: Conversation) => void)[] = [];

  said(line: string): void {
    this.#lines.push((to) => to.said(line));
  }

  heard(line: string): void {
    this.#lines.push((to) => to.heard(line));
  }

  repeatTo(conversation: Conversation): void {
    for (const line of this.#lines) line(conversation);
  }
}
