// One HTTP request with a body. Redirects are not followed: an address that moved must be set anew, and a receiver must not send
// our documents elsewhere. All of connecting, sending and reading the answer ends within `timeoutMs`.
// An answer is read up to `mostAnswerBytes`; what comes after is thrown away. The address is a secret and is in no result: of an
// error only its code is told, never its message, which would name the host.
import { request, type Dispatcher } from 'undici';
import type { Secret } from '../../config/secret';
import { errorCodeOf } from '../../error-code';
import type { Conversation } from '../channel';
import { usualAgent } from './receiver-agent';

export interface OutgoingRequest {
  readonly url: Secret;
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** MAX_ANSWER_BYTES where it is left out. */
  readonly mostAnswerBytes?: number;
  /** How it connects; as usualAgent does where it is left out. */
  readonly dispatcher?: Dispatcher;
}

export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** As much of it as is read. */
  readonly body: string;
  /** The body broke off or did not end in time. */
  readonly broken: boolean;
}

export interface NoAnswer {
  readonly kind: 'no_answer';
  /** `timeout`, or a code such as ECONNREFUSED. */
  readonly code: string;
}

/** More than any receiver's word for what is wrong. */
export const MAX_ANSWER_BYTES = 4_096;

export const USER_AGENT = { 'user-agent': 'gatewatch' };

/** Never rejects. */
export async function sendRequest(
  outgoing: OutgoingRequest,
  conversation?: Conversation,
): Promise<Answer | NoAnswer> {
  const { url, method, body, timeoutMs, dispatcher } = outgoing;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const address = new URL(url.reveal());
    const headers = {
      ...USER_AGENT,
      ...basicAuthorization(address),
      ...outgoing.headers,
    };
    if (conversation)
      for (const line of linesOf(`${method} ${address.href}`, headers, body)) conversation.said(line);
    const response = await request(address, {
      method,
      headers,
      body,
      signal,
      // Notifications are rare: a kept connection would mostly be one that the receiver has closed.
      reset: true,
      dispatcher: dispatcher ?? usualAgent(),
    });
    const retryAfter = response.headers['retry-after'];
    const answer: Answer = {
      kind: 'answer',
      status: response.statusCode,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      ...(await readStart(response.body, outgoing.mostAnswerBytes ?? MAX_ANSWER_BYTES)),
    };
    if (conversation)
      for (const line of linesOf(String(answer.status), response.headers, answer.body))
        conversation.heard(line);
    return answer;
  } catch (error) {
    const code = signal.aborted ? 'timeout' : errorCodeOf(error);
    conversation?.heard(`(no answer: ${code})`);
    return { kind: 'no_answer', code };
  }
}

/** As HTTP/1.1 would write it. @param first the method and the address, or the status */
export function linesOf(
  first: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): string[] {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${String(value)}`],
  );
  return [first, ...lines, '', ...body.split('\n')];
}

async function readStart(
  body: AsyncIterable<Buffer>,
  mostBytes: number,
): Promise<{ body: string; broken: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let broken = false;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= mostBytes) break;
    }
  } catch {
    broken = true;
  }
  return { body: Buffer.concat(chunks).subarray(0, mostBytes).toString(), broken };
}

/** `https://name:password@host/` means basic authentication, which undici leaves to its caller. */
function basicAuthorization({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
