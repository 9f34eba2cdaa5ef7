// One HTTP POST of one envelope (https://develop.sentry.dev/sdk/data-model/envelopes/), compressed where it is large. To
// Spotlight there is no proxy. Redirects are not followed, and of the answer only status and the two headers of limits are read.
// An address carries the project's key: of an error only its code is told.
import { gzipSync } from 'node:zlib';
import { Agent, request, type Dispatcher } from 'undici';
import { errorCodeOf } from '../error-code';
import { dispatcherToSentry } from './dispatcher-to-sentry';

export type EnvelopeAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfter: string | undefined;
      /** X-Sentry-Rate-Limits. */
      readonly rateLimits: string | undefined;
    }
  | {
      readonly kind: 'no_answer';
      /** `timeout`, or a code such as ECONNREFUSED. */
      readonly code: string;
    };

/** From here on it is worth the time. */
const GZIP_FROM_BYTES = 8_192;

/** It is on this machine. */
const SPOTLIGHT_TIMEOUT_MS = 2_000;

let toSpotlight: Dispatcher | undefined;

/** Never rejects. */
export function postEnvelope(url: string, text: string, timeoutMs: number): Promise<EnvelopeAnswer> {
  return post(url, text, timeoutMs, dispatcherToSentry);
}

/** To Spotlight. Never rejects. */
export function showEnvelope(url: string, text: string): Promise<EnvelopeAnswer> {
  return post(url, text, SPOTLIGHT_TIMEOUT_MS, () => (toSpotlight ??= new Agent()));
}

async function post(
  url: string,
  text: string,
  timeoutMs: number,
  dispatcher: () => Dispatcher,
): Promise<EnvelopeAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const plain = Buffer.from(text);
  const isLarge = plain.length >= GZIP_FROM_BYTES;
  try {
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-sentry-envelope',
        'user-agent': 'gatewatch',
        ...(isLarge ? { 'content-encoding': 'gzip' } : {}),
      },
      body: isLarge ? gzipSync(plain) : plain,
      signal,
      dispatcher: dispatcher(),
    });
    // What it says is not read, but has to end.
    void body.dump({ limit: 65_536 }).catch(() => undefined);
    return {
      kind: 'answer',
      status: statusCode,
      retryAfter: first(headers['retry-after']),
      rateLimits: first(headers['x-sentry-rate-limits']),
    };
  } catch (error) {
    return { kind: 'no_answer', code: signal.aborted ? 'timeout' : errorCodeOf(error) };
  }
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header;
}
