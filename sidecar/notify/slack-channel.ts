// Posts every notification to a Slack incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
// Slack takes a message with 200 and the body "ok". Another body with 200 is somebody else's page and counts as refused; a
// body that broke off leaves it open, so the message is sent again. What Slack refuses it names with a word such as
// `invalid_payload`, `no_service` or `channel_is_archived`, which is told; no other part of an answer is.
import type { Clock } from '../clock';
import type { SlackChannelSettings } from '../config/config';
import type { Channel, Outcome } from './channel';
import { outcomeOf } from './outcome-of-answer';
import { postJson, type Answer, type NoAnswer } from './post-json';
import { slackMessage } from './slack-message';

export function slackChannel(settings: SlackChannelSettings, clock: Clock): Channel {
  return {
    name: settings.name,
    type: settings.type,
    send: async (notification) => {
      const answer = await postJson(settings.webhookUrl, slackMessage(notification), settings.timeoutMs);
      return slackOutcome(answer, clock.nowMs());
    },
  };
}

function slackOutcome(answer: Answer | NoAnswer, nowMs: number): Outcome {
  const outcome = outcomeOf(answer, nowMs);
  if (answer.kind === 'no_answer') return outcome;
  const body = answer.body.trim();
  if (outcome.result !== 'sent') {
    const isSlackWord = /^[a-z]+(_[a-z]+)+$/.test(body) && body.length <= 40;
    return isSlackWord ? { ...outcome, reason: `${outcome.reason}: ${body}` } : outcome;
  }
  if (body === 'ok') return outcome;
  if (answer.broken)
    return { result: 'retry', reason: `answered ${answer.status}, but broke off`, afterMs: undefined };
  return { result: 'refused', reason: `answered ${answer.status}, but not with Slack's "ok"` };
}
