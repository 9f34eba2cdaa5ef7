// From the configuration of the channels to the channels.
import type { ChannelSettings } from '../config/channel/channel-settings';
import { alertmanagerChannel } from './alertmanager/alertmanager-channel';
import type { Channel } from './channel';
import type { ChannelParts } from './channel-parts';
import { emailChannel } from './email/email-channel';
import { fingerprintOf } from './fingerprint';
import { pagerDutyChannel } from './pagerduty/pagerduty-channel';
import { sentryChannel } from './sentry/sentry-channel';
import { slackBotChannel } from './slack/slack-bot-channel';
import { slackWebhookChannel } from './slack/slack-webhook-channel';
import { webhookChannel } from './webhook/webhook-channel';

export function createChannels(settings: readonly ChannelSettings[], parts: ChannelParts): Channel[] {
  return settings.map((one) => createChannel(one, parts));
}

export function createChannel(settings: ChannelSettings, parts: ChannelParts): Channel {
  return { ...channelOf(settings, parts), fingerprint: fingerprintOf(settings, parts) };
}

function channelOf(settings: ChannelSettings, parts: ChannelParts): Channel {
  switch (settings.type) {
    case 'slack':
      return settings.through.kind === 'bot'
        ? slackBotChannel(settings, settings.through, parts)
        : slackWebhookChannel(settings, settings.through, parts);
    case 'email':
      return emailChannel(settings, parts);
    case 'pagerduty':
      return pagerDutyChannel(settings, parts);
    case 'webhook':
      return webhookChannel(settings, parts);
    case 'alertmanager':
      return alertmanagerChannel(settings, parts);
    case 'sentry':
      return sentryChannel(settings, parts);
  }
}
