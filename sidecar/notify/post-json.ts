// One HTTP POST of a JSON document. Redirects are not followed: an address that moved must be set anew, and a receiver must
// not send our documents elsewhere. All of connecting, sending and reading the answer ends within `timeoutMs`.
// An answer is read up to MAX_ANSWER_BYTES; what comes after is thrown away. The address is a secret and is in no result:
// of an error only its code is told, never its message, which would name the host.
import { request } from 'undici';
import { errorCodeOf } from '../error-code';
import type { Secret } from '../config/secret';

export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The first MAX_ANSWER_BYTES of the body. */
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

/** Never rejects. */
export async function postJson(
  url: Secret,
  document: unknown,
  timeoutMs: number,
): Promise<Answer | NoAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const address = new URL(url.reveal());
    const { statusCode, headers, body } = await request(address, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'gatewatch',
        ...basicAuthorization(address),
      },
      body: JSON.stringify(document),
      signal,
      // Notifications are rare: a kept connection would mostly be one that the receiver has closed.
      reset: true,
    });
    const retryAfter = headers['retry-after'];
    return {
      kind: 'answer',
      status: statusCode,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      ...(await readStart(body)),
    };
  } catch (error) {
    return { kind: 'no_answer', code: signal.aborted ? 'timeout' : errorCodeOf(error) };
  }
}

async function readStart(body: AsyncIterable<Buffer>): Promise<{ body: string; broken: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let broken = false;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_ANSWER_BYTES) break;
    }
  } catch {
    broken = true;
  }
  return { body: Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString(), broken };
}

/** `https://name:password@host/` means basic authentication, which undici leaves to its caller. */
function basicAuthorization({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
