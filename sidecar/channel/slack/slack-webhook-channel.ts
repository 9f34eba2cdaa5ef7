// Posts every notification to a Slack incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
// Slack takes a message with 200 and the body "ok". Another body with 200 is somebody else's page and counts as refused; a
// body that broke off leaves it open, so the message is sent again. What Slack refuses it names with a word such as
// `invalid_payload`, `no_service` or `channel_is_archived`, which is told; no other part of an answer is. Where it takes none of
// our blocks, the message is sent without them.
import type { SlackChannelSettings, SlackWebhookSettings } from '../../config/channel/slack-settings';
import type { Channel, Outcome } from '../channel';
import type { ChannelParts } from '../channel-parts';
import { outcomeOf } from '../http/outcome-of-answer';
import { postJson } from '../http/post-json';
import type { Answer, NoAnswer } from '../http/send-request';
import { tryBudget } from '../try-budget';
import { meaningOf, toldWord } from './slack-errors';
import { withoutBlocks } from './slack-layout';
import { slackMessage } from './slack-message';

/** Links in blocks are unfurled too unless both say no. */
const NO_UNFURLING = { unfurl_links: false, unfurl_media: false } as const;

export function slackWebhookChannel(
  { name, type, delivery, timeoutMs }: SlackChannelSettings,
  { webhookUrl }: SlackWebhookSettings,
  { clock, conversation }: ChannelParts,
): Channel {
  return {
    name,
    type,
    delivery,
    send: async (notification) => {
      const leftMs = tryBudget(timeoutMs, clock);
      const post = (document: object): Promise<Answer | NoAnswer> =>
        postJson(webhookUrl, { ...document, ...NO_UNFURLING }, leftMs(), conversation);
      const message = slackMessage(notification);
      const answer = await post(message);
      return slackOutcome(isAboutBlocks(answer) ? await post(withoutBlocks(message)) : answer, clock.nowMs());
    },
  };
}

function isAboutBlocks(answer: Answer | NoAnswer): boolean {
  return answer.kind === 'answer' && answer.status === 400 && meaningOf(answer.body.trim()) === 'form';
}

function slackOutcome(answer: Answer | NoAnswer, nowMs: number): Outcome {
  const outcome = outcomeOf(answer, nowMs);
  if (answer.kind === 'no_answer') return outcome;
  const body = answer.body.trim();
  if (outcome.result !== 'sent') {
    const told = toldWord(body);
    return told === undefined ? outcome : { ...outcome, reason: `${outcome.reason}: ${told}` };
  }
  if (body === 'ok') return outcome;
  if (answer.broken)
    return { result: 'retry', reason: `answered ${answer.status}, but broke off`, afterMs: undefined };
  return { result: 'refused', reason: `answered ${answer.status}, but not with Slack's "ok"` };
}
