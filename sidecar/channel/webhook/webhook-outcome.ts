// How a webhook ended. Any 2xx is taken for sent, whatever comes with it: a workflow of Teams answers 202 before it has posted, Discord
// 200 or 204. What Discord refuses it gives a number, of which those are told in words that a person can do something about; its wish
// to wait stands in the answer too, finer than in the header. No other part of an answer is told.
import type { WebhookChannelSettings } from '../../config/channel/webhook-settings';
import type { Outcome } from '../channel';
import { PRIVATE_ADDRESS_CODE } from '../http/address-guard';
import { outcomeOf } from '../http/outcome-of-answer';
import type { Answer, NoAnswer } from '../http/send-request';

/** https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes */
const DISCORD_WORDS: ReadonlyMap<unknown, string> = new Map([
  [10003, 'unknown channel'],
  [10015, 'unknown webhook'],
  [40005, 'too large'],
  [50006, 'an empty message'],
  [50027, "the webhook's token is not valid"],
  [50035, 'the form of the message is not valid'],
  [200000, "the server's automatic moderation"],
  [220001, 'a forum, which needs ?thread_id= in the address'],
]);

/** @param nowMs Unix ms */
export function webhookOutcome(
  answer: Answer | NoAnswer,
  content: WebhookChannelSettings['content'],
  nowMs: number,
): Outcome {
  if (answer.kind === 'no_answer') {
    if (answer.code !== PRIVATE_ADDRESS_CODE) return outcomeOf(answer, nowMs);
    return {
      result: 'refused',
      reason: 'the address leads into a private network, which only allow_private_addresses: true opens',
    };
  }
  const outcome = outcomeOf(answer, nowMs);
  const isDiscord = content.kind === 'format' && content.format === 'discord';
  if (!isDiscord || outcome.result === 'sent') return outcome;
  const { code, retry_after: retryAfter } = readObject(answer.body);
  const word = DISCORD_WORDS.get(code);
  const reason = word === undefined ? outcome.reason : `${outcome.reason}: ${word}`;
  if (outcome.result !== 'retry') return { ...outcome, reason };
  const waitMs =
    typeof retryAfter === 'number' && retryAfter >= 0 ? Math.ceil(retryAfter * 1_000) : undefined;
  return { ...outcome, reason, afterMs: waitMs ?? outcome.afterMs };
}

/** Empty where it is none, or was cut. */
function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
