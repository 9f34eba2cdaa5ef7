// The two questions and the one order that the sidecar has for Sentry's web API (https://docs.sentry.io/api/): which issue an event
// is in (scope org:read), which unresolved issues have a tag (event:read), and to resolve one (event:write).
import { request } from 'undici';
import { errorCodeOf } from '../../error-code';
import type { SentryApiSettings } from '../../config/channel/sentry-settings';
import { dispatcherToSentry } from '../../sentry/dispatcher-to-sentry';
import type { Conversation } from '../channel';
import type { Answer, NoAnswer } from '../http/send-request';
import { tellHeard, tellSaid } from './tell-sentry';

/** An event comes whole with the answer to the first question. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export type ApiAnswer = (Answer & { readonly document: unknown }) | NoAnswer;

export class SentryApi {
  readonly #settings: SentryApiSettings;
  readonly #conversation: Conversation | undefined;
  readonly #signal: AbortSignal;

  /** @param timeoutMs of all that is asked through it together */
  constructor(settings: SentryApiSettings, timeoutMs: number, conversation?: Conversation) {
    this.#settings = settings;
    this.#conversation = conversation;
    this.#signal = AbortSignal.timeout(timeoutMs);
  }

  issueOfEvent(eventId: string): Promise<ApiAnswer> {
    return this.#ask('GET', `organizations/${this.#settings.organization}/eventids/${eventId}/`);
  }

  issuesWithTag(tag: string, value: string): Promise<ApiAnswer> {
    const { organization, project } = this.#settings;
    const query = encodeURIComponent(`is:unresolved ${tag}:${value}`);
    return this.#ask('GET', `projects/${organization}/${project}/issues/?query=${query}`);
  }

  resolve(issueId: string): Promise<ApiAnswer> {
    return this.#ask('PUT', `organizations/${this.#settings.organization}/issues/${issueId}/`, {
      status: 'resolved',
    });
  }

  /** Never rejects. */
  async #ask(method: 'GET' | 'PUT', path: string, document?: object): Promise<ApiAnswer> {
    const { apiUrl, authToken } = this.#settings;
    const url = `${apiUrl}/api/0/${path}`;
    const sent = document === undefined ? '' : JSON.stringify(document);
    const own = {
      authorization: `Bearer ${authToken.reveal()}`,
      'user-agent': 'gatewatch',
      ...(document === undefined ? {} : { 'content-type': 'application/json' }),
    };
    tellSaid(this.#conversation, { method, url, headers: own, body: sent });
    try {
      const { statusCode, headers, body } = await request(url, {
        method,
        headers: own,
        ...(document === undefined ? {} : { body: sent }),
        signal: this.#signal,
        reset: true,
        dispatcher: dispatcherToSentry(),
      });
      const retryAfter = headers['retry-after'];
      const text = await readWhole(body);
      const answer: ApiAnswer = {
        kind: 'answer',
        status: statusCode,
        retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
        body: '',
        broken: text === undefined,
        document: parse(text),
      };
      tellHeard(this.#conversation, answer, text);
      return answer;
    } catch (error) {
      const none = {
        kind: 'no_answer',
        code: this.#signal.aborted ? 'timeout' : errorCodeOf(error),
      } as const;
      tellHeard(this.#conversation, none);
      return none;
    }
  }
}

/** `undefined` where it breaks off or is too long. */
async function readWhole(body: AsyncIterable<Buffer>): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) return undefined;
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
