// One try to send one envelope, to Sentry or to Spotlight, and what came of it. Redirects are not followed; answers are read up
// to a bound.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { readBounded } from '../../read-bounded';
import type { LimitHeaders } from './rate-limits';

/** From the connecting to the whole answer. */
export const TRY_TIMEOUT_MS = 15_000;
export const CONNECT_TIMEOUT_MS = 5_000;

/** From so many bytes the SDK compresses too (transports/http.js of @sentry/node 11.1.0). */
export const GZIP_FROM_BYTES = 32 * 1024;

const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_DETAIL_LENGTH = 200;

export type PostResult =
  | ({
      readonly kind: 'answered';
      /** Why Sentry refuses it, in its words. */ readonly detail: string;
    } & LimitHeaders)
  | { readonly kind: 'failed'; readonly reason: string };

export interface EnvelopeTarget {
  readonly origin: string;
  /** With the query. */
  readonly path: string;
  readonly userAgent: string;
}

const compress = promisify(gzip);

/** Never rejects; ends within TRY_TIMEOUT_MS, or when `end` is aborted. */
export async function postEnvelope(
  dispatcher: Dispatcher,
  { origin, path, userAgent }: EnvelopeTarget,
  bytes: Buffer,
  end: AbortSignal,
): Promise<PostResult> {
  const attempt = new AbortController();
  const giveUp = (): void => attempt.abort();
  const timer = setTimeout(giveUp, TRY_TIMEOUT_MS).unref();
  // Taken off after each try: what AbortSignal.any hangs on a signal that lives as long as the plugin stays there for good.
  end.addEventListener('abort', giveUp);
  if (end.aborted) giveUp();
  try {
    const isCompressed = bytes.length > GZIP_FROM_BYTES;
    const answer = await dispatcher.request({
      origin,
      path,
      method: 'POST',
      headers: {
        'content-type': 'application/x-sentry-envelope',
        'user-agent': userAgent,
        ...(isCompressed && { 'content-encoding': 'gzip' }),
      },
      body: isCompressed ? await compress(bytes) : bytes,
      signal: attempt.signal,
    });
    // Once the status is there, it is decided: a body that breaks off changes nothing.
    const body = await readBounded(answer.body, MAX_ANSWER_BYTES).catch(() => '');
    return {
      kind: 'answered',
      status: answer.statusCode,
      rateLimits: textOf(answer.headers['x-sentry-rate-limits']),
      retryAfter: textOf(answer.headers['retry-after']),
      detail: (textOf(answer.headers['x-sentry-error']) ?? detailOf(body)).slice(0, MAX_DETAIL_LENGTH),
    };
  } catch (error) {
    const timedOut = attempt.signal.aborted && !end.aborted;
    return { kind: 'failed', reason: timedOut ? `no answer within ${TRY_TIMEOUT_MS} ms` : explain(error) };
  } finally {
    clearTimeout(timer);
    end.removeEventListener('abort', giveUp);
  }
}

/** A repeated header is one list. */
function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}

/** Sentry's `{"detail": "..."}`; empty where the answer is something else. */
function detailOf(body: string): string {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== 'object' || answer === null || !('detail' in answer)) return '';
    return typeof answer.detail === 'string' ? answer.detail : '';
  } catch {
    return '';
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (error.message === '') return code ?? error.name;
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
