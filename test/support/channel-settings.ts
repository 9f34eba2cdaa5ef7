// Channels as a configuration would have them, with what a test does not say left at the defaults.
import type { DeliverySettings } from '../../sidecar/config/channel/channel-base';
import type { AlertmanagerChannelSettings } from '../../sidecar/config/channel/alertmanager-settings';
import type { EmailChannelSettings } from '../../sidecar/config/channel/email-settings';
import type { PagerDutyChannelSettings } from '../../sidecar/config/channel/pagerduty-settings';
import type { SentryChannelSettings } from '../../sidecar/config/channel/sentry-settings';
import type { SlackChannelSettings } from '../../sidecar/config/channel/slack-settings';
import type { WebhookChannelSettings } from '../../sidecar/config/channel/webhook-settings';
import { Secret } from '../../sidecar/config/secret';

export const DELIVERY: DeliverySettings = {
  deadlineMs: 3_600_000,
  fallback: undefined,
  maxInFlight: 1,
  maxPerMinute: 6_000,
};

const BASE = { timeoutMs: 5_000, delivery: DELIVERY };

export function slackWebhookSettings(
  url: string,
  others: Partial<SlackChannelSettings> = {},
): SlackChannelSettings {
  const through = { kind: 'webhook', webhookUrl: new Secret(url) } as const;
  return { ...BASE, type: 'slack', name: 'chat', through, ...others };
}

export function slackBotSettings(
  apiUrl: string,
  others: Partial<SlackChannelSettings> = {},
): SlackChannelSettings {
  const botToken = new Secret('xoxb-sample-bot-token');
  const through = { kind: 'bot', botToken, conversation: 'C0123456789', apiUrl } as const;
  return { ...BASE, type: 'slack', name: 'chat', through, ...others };
}

export function webhookSettings(
  url: string,
  others: Partial<WebhookChannelSettings> = {},
): WebhookChannelSettings {
  return {
    ...BASE,
    type: 'webhook',
    name: 'hook',
    url: new Secret(url),
    method: 'POST',
    headers: {},
    content: { kind: 'format', format: 'alertmanager' },
    signingSecrets: [],
    allowsPrivateAddresses: true,
    ca: undefined,
    ...others,
  };
}

export function emailSettings(
  port: number,
  others: Partial<EmailChannelSettings> = {},
): EmailChannelSettings {
  return {
    ...BASE,
    type: 'email',
    name: 'mail',
    host: '127.0.0.1',
    port,
    tls: 'none',
    login: undefined,
    from: 'Gatewatch <gatewatch@example.com>',
    to: ['oncall@example.com'],
    ca: undefined,
    ...others,
  };
}

export function pagerDutySettings(
  apiUrl: string,
  others: Partial<PagerDutyChannelSettings> = {},
): PagerDutyChannelSettings {
  return {
    ...BASE,
    type: 'pagerduty',
    name: 'pager',
    routingKey: new Secret('0123456789abcdef0123456789abcdef'),
    apiUrl,
    sendsChanges: true,
    ...others,
  };
}

export function alertmanagerSettings(
  urls: readonly string[],
  others: Partial<AlertmanagerChannelSettings> = {},
): AlertmanagerChannelSettings {
  return {
    ...BASE,
    type: 'alertmanager',
    name: 'cluster',
    urls: urls.map((url) => new Secret(url)),
    resendIntervalMs: 60_000,
    ca: undefined,
    ...others,
  };
}

export function sentrySettings(others: Partial<SentryChannelSettings> = {}): SentryChannelSettings {
  return { ...BASE, type: 'sentry', name: 'issues', resolving: undefined, ...others };
}
