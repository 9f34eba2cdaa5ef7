// From the configuration of the channels to the channels.
import type { Clock } from '../clock';
import type { ChannelSettings } from '../config/config';
import type { Channel } from './channel';
import { sentryChannel, type SentryProject } from './sentry-channel';
import { slackChannel } from './slack-channel';
import { webhookChannel } from './webhook-channel';

/** @param project where channels of the type sentry send to @param externalUrl see webhookChannel */
export function createChannels(
  settings: readonly ChannelSettings[],
  clock: Clock,
  project: SentryProject,
  externalUrl = '',
): Channel[] {
  return settings.map((one) => {
    switch (one.type) {
      case 'slack':
        return slackChannel(one, clock);
      case 'webhook':
        return webhookChannel(one, clock, externalUrl);
      case 'sentry':
        return sentryChannel(one, project, clock);
    }
  });
}
