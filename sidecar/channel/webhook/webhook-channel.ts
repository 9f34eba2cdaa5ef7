// Posts every notification as one document, signed where there are secrets. A message that cannot be written is refused, and told why.
import { Secret } from '../../config/secret';
import type { WebhookChannelSettings } from '../../config/channel/webhook-settings';
import type { Notification } from '../../notify/notification';
import type { Channel, Outcome } from '../channel';
import type { ChannelParts } from '../channel-parts';
import { receiverAgent } from '../http/receiver-agent';
import { sendRequest } from '../http/send-request';
import { renderWebhookBody } from './webhook-body';
import { webhookHeaders } from './webhook-headers';
import { webhookOutcome } from './webhook-outcome';

export function webhookChannel(
  settings: WebhookChannelSettings,
  { clock, externalUrl, conversation }: ChannelParts,
): Channel {
  const { name, type, delivery, method, headers, content, signingSecrets, timeoutMs } = settings;
  const dispatcher = receiverAgent(settings);
  const url = addressOf(settings);
  const send = async (notification: Notification): Promise<Outcome> => {
    const written = renderWebhookBody(content, notification, { receiver: name, externalUrl });
    if ('problem' in written) {
      conversation?.heard(`(not sent: ${written.problem})`);
      return { result: 'refused', reason: written.problem };
    }
    const { body, contentType } = written;
    const answer = await sendRequest(
      {
        url,
        method,
        headers: {
          ...revealed(headers),
          'content-type': contentType,
          ...webhookHeaders(notification.id, clock.nowMs(), body, signingSecrets),
        },
        body,
        timeoutMs,
        dispatcher,
      },
      conversation,
    );
    return webhookOutcome(answer, content, clock.nowMs());
  };
  return { name, type, delivery, send };
}

function revealed(headers: WebhookChannelSettings['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, value.reveal()]));
}

/** Unless it is asked to wait, Discord answers before it has saved the message, and then tells of no failure. */
function addressOf({ url, content }: WebhookChannelSettings): Secret {
  const text = url.reveal();
  if (content.kind !== 'format' || content.format !== 'discord' || !URL.canParse(text)) return url;
  const address = new URL(text);
  if (!address.searchParams.has('wait')) address.searchParams.set('wait', 'true');
  return new Secret(address.href);
}
