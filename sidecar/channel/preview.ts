// What a channel would say of a notification, without saying it: made by the same functions as what it sends, and held against that by a
// test. Pure but for the reading of our own templates. Secrets are in it, as in a conversation: whoever prints it takes them out.
import type { AlertmanagerChannelSettings } from '../config/channel/alertmanager-settings';
import type { ChannelSettings } from '../config/channel/channel-settings';
import type { EmailChannelSettings } from '../config/channel/email-settings';
import type { PagerDutyChannelSettings } from '../config/channel/pagerduty-settings';
import type { SentryChannelSettings } from '../config/channel/sentry-settings';
import type { SlackBotSettings, SlackWebhookSettings } from '../config/channel/slack-settings';
import type { WebhookChannelSettings } from '../config/channel/webhook-settings';
import { describeNotification } from '../notify/describe-notification';
import { lastWords } from '../notify/last-words';
import type { Notification } from '../notify/notification';
import { alertsAddress, validMsOf } from './alertmanager/alertmanager-channel';
import { postableAlerts } from './alertmanager/postable-alerts';
import type { ChannelParts } from './channel-parts';
import type { EmailAddress } from './email/email-address';
import { emailMessage } from './email/email-message';
import { linesOf, USER_AGENT } from './http/send-request';
import { eventsOf } from './pagerduty/pagerduty-channel';
import { issueEnvelope } from './sentry/sentry-issue';
import { slackMessage, slackReply } from './slack/slack-message';
import { alertsAfter, rootMessage } from './slack/slack-root';
import { renderWebhookBody } from './webhook/webhook-body';
import { webhookHeaders } from './webhook/webhook-headers';

export interface Preview {
  /** Each as lines: a request with its headers, an empty line and its body; or a mail. */
  readonly messages: readonly (readonly string[])[];
  /** What is to be known beside them. */
  readonly notes: readonly string[];
  /** Of a mail; its text is in the message. */
  readonly html?: string;
}

/** @param before what the channel was told of the same alerts before; `undefined`: nothing */
export function previewOf(
  settings: ChannelSettings,
  notification: Notification,
  before: Notification | undefined,
  parts: ChannelParts,
): Preview | { readonly problem: string } {
  switch (settings.type) {
    case 'slack':
      return settings.through.kind === 'bot'
        ? slackBotPreview(settings.through, notification, before)
        : slackWebhookPreview(settings.through, notification);
    case 'email':
      return emailPreview(settings, notification, before, parts);
    case 'pagerduty':
      return pagerDutyPreview(settings, notification, parts);
    case 'webhook':
      return webhookPreview(settings, notification, parts);
    case 'alertmanager':
      return alertmanagerPreview(settings, notification, parts);
    case 'sentry':
      return sentryPreview(settings, notification, parts);
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };

function slackWebhookPreview({ webhookUrl }: SlackWebhookSettings, notification: Notification): Preview {
  const body = JSON.stringify(slackMessage(notification));
  return { messages: [request('POST', webhookUrl.reveal(), JSON_TYPE, body)], notes: [] };
}

function slackBotPreview(
  { apiUrl, conversation, botToken }: SlackBotSettings,
  notification: Notification,
  before: Notification | undefined,
): Preview {
  const call = (method: string, message: object): string[] =>
    request(
      'POST',
      `${apiUrl}/${method}`,
      {
        authorization: `Bearer ${botToken.reveal()}`,
        'content-type': 'application/json; charset=utf-8',
      },
      JSON.stringify({ channel: conversation, ...message }),
    );
  if (notification.kind === 'digest')
    return { messages: [call('chat.postMessage', slackMessage(notification))], notes: [] };
  const known = before === undefined ? [] : alertsAfter([], before);
  const root = rootMessage(alertsAfter(known, notification), notification);
  if (before === undefined) return { messages: [call('chat.postMessage', root)], notes: [] };
  return {
    messages: [
      call('chat.update', { text: root.text, blocks: root.blocks }),
      call('chat.postMessage', slackReply(notification)),
    ],
    notes: ['The first message of the group is changed, and the second is a reply in its thread.'],
  };
}

function emailPreview(
  settings: EmailChannelSettings,
  notification: Notification,
  before: Notification | undefined,
  { externalUrl }: ChannelParts,
): Preview {
  const first = before && emailMessage(before, settings, undefined, externalUrl);
  const thread = first && {
    rootId: first.messageId,
    lastId: first.messageId,
    subject: first.subject,
    unfinished: undefined,
  };
  const mail = emailMessage(notification, settings, thread, externalUrl);
  const { from, to, subject, messageId, references, dateMs, headers, text, html } = mail;
  const lines = [
    `From: ${nameAndAddress(from)}`,
    `To: ${to.map(nameAndAddress).join(', ')}`,
    `Subject: ${subject}`,
    `Date: ${new Date(dateMs).toUTCString()}`,
    `Message-ID: ${messageId}`,
    ...(references.length === 0
      ? []
      : [`In-Reply-To: ${references.at(-1)}`, `References: ${references.join(' ')}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    ...text.trimEnd().split('\n'),
  ];
  return { messages: [lines], notes: [], html };
}

function nameAndAddress({ name, address }: EmailAddress): string {
  return name === '' ? address : `${name} <${address}>`;
}

function pagerDutyPreview(
  { apiUrl, routingKey }: PagerDutyChannelSettings,
  notification: Notification,
  { externalUrl }: ChannelParts,
): Preview {
  const messages = eventsOf(notification, externalUrl).map((event) => {
    const document = { routing_key: routingKey.reveal(), ...event };
    return request('POST', `${apiUrl}/v2/enqueue`, JSON_TYPE, JSON.stringify(document));
  });
  return { messages, notes: [] };
}

function webhookPreview(
  { name, url, method, headers, content, signingSecrets }: WebhookChannelSettings,
  notification: Notification,
  { clock, externalUrl }: ChannelParts,
): Preview | { readonly problem: string } {
  const written = renderWebhookBody(content, notification, { receiver: name, externalUrl });
  if ('problem' in written) return written;
  const { body, contentType } = written;
  const own = Object.entries(headers).map(([header, value]) => [header, value.reveal()]);
  const all = {
    ...(Object.fromEntries(own) as Record<string, string>),
    'content-type': contentType,
    ...webhookHeaders(notification.id, clock.nowMs(), body, signingSecrets),
  };
  return { messages: [request(method, url.reveal(), all, body)], notes: [] };
}

function alertmanagerPreview(
  { urls, resendIntervalMs }: AlertmanagerChannelSettings,
  notification: Notification,
  { clock }: ChannelParts,
): Preview {
  const validMs = validMsOf(resendIntervalMs);
  const { alerts } = postableAlerts(notification, { validMs, nowMs: clock.nowMs(), told: {} });
  const [first] = urls;
  const others = urls.length - 1;
  return {
    messages: first
      ? [request('POST', alertsAddress(first).reveal(), JSON_TYPE, JSON.stringify(alerts))]
      : [],
    notes: [
      ...(others > 0 ? [`The same goes to ${others} more of urls.`] : []),
      'It is told again and again, all that fires at a time.',
    ],
  };
}

function sentryPreview(
  { resolving }: SentryChannelSettings,
  notification: Notification,
  { project, clock }: ChannelParts,
): Preview {
  const { envelopeUrl = project.spotlightUrl } = project;
  if (envelopeUrl === undefined)
    return { messages: [], notes: ['Neither sentry.dsn nor Spotlight is set: nothing would be sent.'] };
  const type = { 'content-type': 'application/x-sentry-envelope' };
  const { items } = notification;
  const { notes } = describeNotification(notification);
  const isOver = lastWords(items).some(({ item }) => item.occasion === 'resolved');
  return {
    messages: items
      .filter(({ occasion }) => occasion !== 'resolved' && occasion !== 'acknowledged')
      .map((item) => request('POST', envelopeUrl, type, issueEnvelope(item, project, clock.nowMs(), notes))),
    notes: isOver
      ? [
          resolving === undefined || project.envelopeUrl === undefined
            ? 'The issue of what is over stays open: that takes auth_token, organization and project.'
            : `The issue of what is over is looked for, and resolved, at ${resolving.apiUrl}/api/0.`,
        ]
      : [],
  };
}

/** As sendRequest tells a conversation. */
function request(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): string[] {
  return linesOf(`${method} ${url}`, { ...USER_AGENT, ...headers }, body);
}
