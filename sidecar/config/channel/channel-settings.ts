// The channels of gatewatch.yml, of every type: their form, their settings, what is wrong between their keys, and back to the file.
import { z } from 'zod';
import { formatDuration } from '../duration';
import { isMap, listOf, type PlacedFault } from '../placed-fault';
import {
  alertmanagerDocument,
  alertmanagerOf,
  alertmanagerShape,
  type AlertmanagerChannelSettings,
} from './alertmanager-settings';
import type { ChannelSources } from './channel-base';
import { checkEmail, emailDocument, emailOf, emailShape, type EmailChannelSettings } from './email-settings';
import {
  checkPagerDuty,
  pagerDutyDocument,
  pagerDutyOf,
  pagerDutyShape,
  type PagerDutyChannelSettings,
} from './pagerduty-settings';
import {
  checkSentryChannel,
  sentryChannelDocument,
  sentryChannelOf,
  sentryChannelShape,
  type SentryChannelSettings,
} from './sentry-settings';
import { checkSlack, slackDocument, slackOf, slackShape, type SlackChannelSettings } from './slack-settings';
import {
  checkWebhook,
  webhookDocument,
  webhookOf,
  webhookShape,
  type WebhookChannelSettings,
} from './webhook-settings';

export type ChannelSettings =
  | SlackChannelSettings
  | EmailChannelSettings
  | PagerDutyChannelSettings
  | WebhookChannelSettings
  | AlertmanagerChannelSettings
  | SentryChannelSettings;

export type ChannelType = ChannelSettings['type'];

export const channelShape = z.discriminatedUnion(
  'type',
  [slackShape, emailShape, pagerDutyShape, webhookShape, alertmanagerShape, sentryChannelShape],
  { error: 'slack, email, pagerduty, webhook, alertmanager or sentry' },
);

export type ChannelDocument = z.infer<typeof channelShape>;

export function channelOf(document: ChannelDocument, sources: ChannelSources): ChannelSettings {
  switch (document.type) {
    case 'slack':
      return slackOf(document, sources);
    case 'email':
      return emailOf(document, sources);
    case 'pagerduty':
      return pagerDutyOf(document, sources);
    case 'webhook':
      return webhookOf(document, sources);
    case 'alertmanager':
      return alertmanagerOf(document, sources);
    case 'sentry':
      return sentryChannelOf(document, sources);
  }
}

/** As it stands in the file, every secret as a mark. */
export function channelDocument(channel: ChannelSettings): object {
  const { name, type, timeoutMs, delivery } = channel;
  return {
    name,
    type,
    ...receiverDocument(channel),
    timeout: formatDuration(timeoutMs),
    deadline: formatDuration(delivery.deadlineMs),
    ...(delivery.fallback === undefined ? {} : { fallback: delivery.fallback }),
    max_in_flight: delivery.maxInFlight,
    max_per_minute: delivery.maxPerMinute,
  };
}

function receiverDocument(channel: ChannelSettings): object {
  switch (channel.type) {
    case 'slack':
      return slackDocument(channel);
    case 'email':
      return emailDocument(channel);
    case 'pagerduty':
      return pagerDutyDocument(channel);
    case 'webhook':
      return webhookDocument(channel);
    case 'alertmanager':
      return alertmanagerDocument(channel);
    case 'sentry':
      return sentryChannelDocument(channel);
  }
}

const CHECKS = new Map<
  unknown,
  (channel: Record<string, unknown>, at: readonly (string | number)[]) => PlacedFault[]
>([
  ['slack', checkSlack],
  ['email', checkEmail],
  ['pagerduty', checkPagerDuty],
  ['webhook', checkWebhook],
  ['sentry', checkSentryChannel],
]);

/** Looks at the values as they stand in the file. */
export function checkChannels(config: Record<string, unknown>): PlacedFault[] {
  const channels = listOf(config['channels']);
  return [
    ...channels.flatMap((channel, index) =>
      isMap(channel) ? (CHECKS.get(channel['type'])?.(channel, ['channels', index]) ?? []) : [],
    ),
    ...checkFallbacks(channels),
  ];
}

/** How many channels may stand behind one another: each adds its deadline. */
const MOST_FALLBACKS = 3;

/** Each must be another channel that there is, and they must come to an end. */
function checkFallbacks(channels: readonly unknown[]): PlacedFault[] {
  const fallbackOf = new Map<unknown, unknown>();
  const typeOf = new Map<unknown, unknown>();
  for (const channel of channels)
    if (isMap(channel)) {
      fallbackOf.set(channel['name'], channel['fallback']);
      typeOf.set(channel['name'], channel['type']);
    }
  return channels.flatMap((channel, index) => {
    const fallback = isMap(channel) ? channel['fallback'] : undefined;
    if (!isMap(channel) || typeof fallback !== 'string' || fallback === '') return [];
    const path = ['channels', index, 'fallback'];
    const found = JSON.stringify(fallback);
    if (!fallbackOf.has(fallback)) return [{ path, expected: 'the name of another channel', found }];
    if (channel['type'] === 'alertmanager' || typeOf.get(fallback) === 'alertmanager')
      return [
        { path, expected: 'no Alertmanager: it is told again by itself, and takes over for none', found },
      ];
    const chain: unknown[] = [channel['name']];
    let next: unknown = fallback;
    while (typeof next === 'string' && next !== '' && !chain.includes(next)) {
      chain.push(next);
      next = fallbackOf.get(next);
    }
    if (typeof next === 'string' && next !== '')
      return [{ path, expected: 'a channel whose own fallbacks do not come back to it', found }];
    if (chain.length > MOST_FALLBACKS + 1)
      return [{ path, expected: `at most ${MOST_FALLBACKS} fallbacks, one behind the other`, found }];
    return [];
  });
}
