// From the configuration of the channels to the channels.
import type { Clock } from '../clock';
import type { ChannelSettings } from '../config/config';
import type { Channel } from './channel';
import { slackChannel } from './slack-channel';
import { webhookChannel } from './webhook-channel';

export function createChannels(settings: readonly ChannelSettings[], clock: Clock): Channel[] {
  return settings.map((one) => {
    switch (one.type) {
      case 'slack':
        return slackChannel(one, clock);
      case 'webhook':
        return webhookChannel(one, clock);
    }
  });
}
