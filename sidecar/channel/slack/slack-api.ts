// The two calls of Slack's Web API that a bot needs: chat.postMessage and chat.update, both with the scope chat:write.
// The token stands in the Authorization header only. Slack answers 200 to nearly everything: `ok` says whether it did it, and
// `error` is a word (https://docs.slack.dev/apis/web-api#evaluating-responses). 200 without an `ok` is somebody else's page.
import type { SlackBotSettings } from '../../config/channel/slack-settings';
import { Secret } from '../../config/secret';
import type { Clock } from '../../clock';
import type { Conversation, Outcome } from '../channel';
import { outcomeOf } from '../http/outcome-of-answer';
import { sendRequest, type Answer, type NoAnswer } from '../http/send-request';
import { tryBudget, type TryBudget } from '../try-budget';
import { hintFor, meaningOf, toldWord, type Meaning } from './slack-errors';
import { withoutBlocks, type SlackMessage } from './slack-layout';

/** A message comes back whole, with more around it and each character that is not ASCII as six bytes. */
const MOST_ANSWER_BYTES = 256 * 1024;

export type Failure = Exclude<Outcome, { readonly result: 'sent' }>;

export interface Posted {
  readonly channel: string;
  readonly ts: string;
}

export type SlackResult =
  | {
      readonly kind: 'done';
      /** `undefined` where Slack did not say it. */
      readonly posted: Posted | undefined;
    }
  /** `gone`: the message, or its thread, takes no more. */
  | { readonly kind: 'gone' | 'failed'; readonly failure: Failure };

export interface PostOptions {
  /** The message that it answers. */
  readonly thread?: string;
  /** Shown in the channel too, not only in the thread. */
  readonly isBroadcast?: boolean;
}

type CallResult =
  | { readonly kind: 'done'; readonly posted: Posted | undefined }
  | { readonly kind: 'failed'; readonly meaning: Meaning | undefined; readonly failure: Failure };

/** For one notification: all calls together end within its time. None rejects. */
export class SlackApi {
  readonly #bot: SlackBotSettings;
  readonly #clock: Clock;
  readonly #conversation: Conversation | undefined;
  readonly #leftMs: TryBudget;

  constructor(bot: SlackBotSettings, timeoutMs: number, clock: Clock, conversation?: Conversation) {
    this.#bot = bot;
    this.#clock = clock;
    this.#conversation = conversation;
    this.#leftMs = tryBudget(timeoutMs, clock);
  }

  /** Where Slack does not take our blocks, the same without: plainer, but there. */
  async post(message: SlackMessage, { thread, isBroadcast = false }: PostOptions = {}): Promise<SlackResult> {
    const others = {
      channel: this.#bot.conversation,
      parse: 'none',
      link_names: false,
      // Links in blocks are unfurled too unless both say no.
      unfurl_links: false,
      unfurl_media: false,
      ...(thread === undefined ? {} : { thread_ts: thread, reply_broadcast: isBroadcast }),
    };
    const result = await this.#call('chat.postMessage', { ...message, ...others });
    const isForm = result.kind === 'failed' && result.meaning === 'form';
    return outcome(
      isForm ? await this.#call('chat.postMessage', { ...withoutBlocks(message), ...others }) : result,
    );
  }

  /** A message that cannot take it, for whatever reason, counts as gone. */
  async update({ channel, ts }: Posted, { text, blocks }: SlackMessage): Promise<SlackResult> {
    // What is left out is set to a default of its own, which is not the one of chat.postMessage.
    const others = { parse: 'none', link_names: false };
    const result = await this.#call('chat.update', { channel, ts, text, blocks, ...others });
    const isForm = result.kind === 'failed' && result.meaning === 'form';
    return isForm ? { kind: 'gone', failure: result.failure } : outcome(result);
  }

  async #call(method: 'chat.postMessage' | 'chat.update', document: object): Promise<CallResult> {
    const { apiUrl, botToken } = this.#bot;
    const answer = await sendRequest(
      {
        url: new Secret(`${apiUrl}/${method}`),
        method: 'POST',
        headers: {
          authorization: `Bearer ${botToken.reveal()}`,
          'content-type': 'application/json; charset=utf-8',
        },
        body: JSON.stringify(document),
        timeoutMs: this.#leftMs(),
        mostAnswerBytes: MOST_ANSWER_BYTES,
      },
      this.#conversation,
    );
    const result = resultOf(answer, this.#clock.nowMs());
    if (result.kind === 'done') return result;
    return { ...result, failure: { ...result.failure, reason: `${method}: ${result.failure.reason}` } };
  }
}

function outcome(result: CallResult): SlackResult {
  if (result.kind === 'done') return result;
  const { meaning, failure } = result;
  return { kind: meaning === 'gone' ? 'gone' : 'failed', failure };
}

function resultOf(answer: Answer | NoAnswer, nowMs: number): CallResult {
  const byStatus = outcomeOf(answer, nowMs);
  const document = answer.kind === 'answer' ? readObject(answer.body) : undefined;
  const told = document?.['ok'] === false ? toldWord(String(document['error'])) : undefined;
  if (byStatus.result !== 'sent') {
    const reason = told === undefined ? byStatus.reason : `${byStatus.reason}: ${wordWithHint(told)}`;
    return { kind: 'failed', meaning: undefined, failure: { ...byStatus, reason } };
  }
  if (document?.['ok'] === true) return { kind: 'done', posted: postedOf(document) };
  if (answer.kind === 'answer' && document?.['ok'] === false) return refusal(told, answer, nowMs);
  const failure: Failure =
    answer.kind === 'answer' && answer.broken
      ? { result: 'retry', reason: 'answered, but broke off', afterMs: undefined }
      : { result: 'refused', reason: 'answered, but not as Slack does' };
  return { kind: 'failed', meaning: undefined, failure };
}

function refusal(word: string | undefined, answer: Answer, nowMs: number): CallResult {
  const reason = `Slack says ${word === undefined ? 'no, without a word that can be told' : wordWithHint(word)}`;
  const meaning = word === undefined ? 'retry' : meaningOf(word);
  if (meaning !== 'retry') return { kind: 'failed', meaning, failure: { result: 'refused', reason } };
  // It may say how long, as with 429.
  const later = outcomeOf({ ...answer, status: 429 }, nowMs);
  const afterMs = later.result === 'retry' ? later.afterMs : undefined;
  return { kind: 'failed', meaning, failure: { result: 'retry', reason, afterMs } };
}

function wordWithHint(word: string): string {
  const hint = hintFor(word);
  return hint === undefined ? word : `${word} (${hint})`;
}

function postedOf({ channel, ts }: Readonly<Record<string, unknown>>): Posted | undefined {
  if (typeof channel !== 'string' || typeof ts !== 'string') return undefined;
  return /^[A-Z0-9]{1,40}$/.test(channel) && /^\d{1,20}\.\d{1,20}$/.test(ts) ? { channel, ts } : undefined;
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
