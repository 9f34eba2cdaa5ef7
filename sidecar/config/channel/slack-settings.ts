// A channel of the type slack: an incoming webhook, or an app's bot in a channel, which can also answer in threads.
import { z } from 'zod';
import { name, orEmpty, path, PATH_ERROR, plainUrl, url, URL_ERROR } from '../fields';
import { isGiven, type PlacedFault } from '../placed-fault';
import { Secret } from '../secret';
import { baseOf, deliveryKeys, type ChannelBase, type ChannelSources } from './channel-base';
import { checkOneOf } from './check-one-of';

export interface SlackWebhookSettings {
  readonly kind: 'webhook';
  readonly webhookUrl: Secret;
}

export interface SlackBotSettings {
  readonly kind: 'bot';
  readonly botToken: Secret;
  /** The id of a conversation: C0123456789. */
  readonly conversation: string;
  /** Such as https://slack.com/api, without a slash at its end. */
  readonly apiUrl: string;
}

export interface SlackChannelSettings extends ChannelBase {
  readonly type: 'slack';
  readonly through: SlackWebhookSettings | SlackBotSettings;
}

export const DEFAULT_SLACK_API_URL = 'https://slack.com/api';

const TOKEN_ERROR = "a bot's token, which begins with xoxb-";
export const slackToken = z
  .string({ error: TOKEN_ERROR })
  .regex(/^xoxb-[!-~]{8,500}$/, { error: TOKEN_ERROR });

const CONVERSATION_ERROR =
  'the id of a channel, such as C0123456789 (in Slack: View channel details, at its end)';
const conversation = z
  .string({ error: CONVERSATION_ERROR })
  .regex(/^[CGD][A-Z0-9]{6,20}$/, { error: CONVERSATION_ERROR });

export const slackShape = z.strictObject({
  name,
  type: z.literal('slack'),
  webhook_url: orEmpty(url, URL_ERROR),
  webhook_url_file: orEmpty(path, PATH_ERROR),
  bot_token: orEmpty(slackToken, TOKEN_ERROR),
  bot_token_file: orEmpty(path, PATH_ERROR),
  channel: orEmpty(conversation, CONVERSATION_ERROR),
  api_url: plainUrl.default(DEFAULT_SLACK_API_URL),
  ...deliveryKeys,
});

export function slackOf(
  document: z.infer<typeof slackShape>,
  { secret }: ChannelSources,
): SlackChannelSettings {
  const botToken = secret('bot_token');
  const through: SlackChannelSettings['through'] = botToken
    ? {
        kind: 'bot',
        botToken,
        conversation: document.channel ?? '',
        apiUrl: document.api_url.replace(/\/+$/, ''),
      }
    : { kind: 'webhook', webhookUrl: secret('webhook_url') ?? new Secret('') };
  return { ...baseOf(document), type: 'slack', through };
}

export function slackDocument({ through }: SlackChannelSettings): object {
  if (through.kind === 'webhook') return { webhook_url: through.webhookUrl.toString() };
  const { botToken, conversation: channel, apiUrl } = through;
  return { bot_token: botToken.toString(), channel, api_url: apiUrl };
}

export function checkSlack(
  channel: Record<string, unknown>,
  at: readonly (string | number)[],
): PlacedFault[] {
  const faults = checkOneOf(channel, at, ['webhook_url', 'bot_token']);
  const isBot = isGiven(channel['bot_token']) || isGiven(channel['bot_token_file']);
  if (!isBot || isGiven(channel['channel'])) return faults;
  return [...faults, { path: at, expected: 'channel beside bot_token', found: 'none' }];
}
