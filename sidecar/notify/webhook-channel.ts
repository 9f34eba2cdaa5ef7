// Posts every notification as Alertmanager's webhook document.
import type { Clock } from '../clock';
import type { WebhookChannelSettings } from '../config/config';
import { alertmanagerDocument } from './alertmanager-document';
import type { Channel } from './channel';
import { outcomeOf } from './outcome-of-answer';
import { postJson } from './post-json';

/** @param externalUrl where people reach the sidecar; empty where that is not known */
export function webhookChannel(settings: WebhookChannelSettings, clock: Clock, externalUrl = ''): Channel {
  return {
    name: settings.name,
    type: settings.type,
    send: async (notification) => {
      const document = alertmanagerDocument(notification, settings.name, externalUrl);
      return outcomeOf(await postJson(settings.url, document, settings.timeoutMs), clock.nowMs());
    },
  };
}
