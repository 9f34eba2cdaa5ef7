// One try to deliver one sealed batch, and what came of it. Redirects are not followed; answers are read up to a bound.
import { Pool, type Dispatcher } from 'undici';
import { BATCH_PATH, SENT_AT_HEADER } from './contract/batch';
import { readFinalFault, type Fault } from './contract/fault';
import { readReceipt } from './contract/receipt';
import { readBounded } from './read-bounded';
import type { DeliverySettings } from './read-settings';
import type { SealedBatch } from './seal-batches';
import type { SidecarAddress } from './sidecar-address';

export type TryResult =
  | { readonly kind: 'receipt' }
  /** The sidecar will never take these bytes. */
  | { readonly kind: 'refused'; readonly fault: Fault }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** The answer's own wish. */
      readonly retryAfterMs: number | undefined;
    };

const MAX_ANSWER_BYTES = 64 * 1024;

/** One kept-alive connection. Batches are sent one after the other. */
export function createPool({ origin, socketPath }: SidecarAddress): Pool {
  return new Pool(origin, {
    connections: 1,
    pipelining: 1,
    ...(socketPath === undefined ? {} : { socketPath }),
  });
}

/**
 * Never rejects; ends within the request timeout, or when `end` is aborted.
 *
 * @param nowMs Unix ms, told to the sidecar
 */
export async function postBatch(
  pool: Dispatcher,
  settings: DeliverySettings,
  batch: SealedBatch,
  nowMs: number,
  end: AbortSignal,
): Promise<TryResult> {
  const { address, token, requestTimeoutMs } = settings;
  const attempt = new AbortController();
  const giveUp = (): void => attempt.abort();
  const timer = setTimeout(giveUp, requestTimeoutMs).unref();
  // Taken off after each try: what AbortSignal.any hangs on a signal that lives as long as the plugin stays there for good.
  end.addEventListener('abort', giveUp);
  if (end.aborted) giveUp();
  let status: number;
  let retryAfter: string | string[] | undefined;
  let body: string;
  try {
    const answer = await pool.request({
      method: 'POST',
      path: `${address.basePath}${BATCH_PATH}`,
      headers: {
        'content-type': 'application/json',
        [SENT_AT_HEADER]: String(nowMs),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: batch.bytes,
      signal: attempt.signal,
    });
    status = answer.statusCode;
    retryAfter = answer.headers['retry-after'];
    body = await readBounded(answer.body, MAX_ANSWER_BYTES);
  } catch (error) {
    const timedOut = attempt.signal.aborted && !end.aborted;
    const reason = timedOut ? `no answer within ${requestTimeoutMs} ms` : explainError(error);
    return { kind: 'failed', reason: `${reason} (${address.text})`, retryAfterMs: undefined };
  } finally {
    clearTimeout(timer);
    end.removeEventListener('abort', giveUp);
  }
  if (status === 200 && readReceipt(body, batch.producer, batch.sequence)) return { kind: 'receipt' };
  const fault = readFinalFault(status, body);
  if (fault) return { kind: 'refused', fault };
  return {
    kind: 'failed',
    reason: `${explainAnswer(status, body)} (${address.text})`,
    retryAfterMs: readRetryAfterMs(retryAfter, nowMs),
  };
}

function explainError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `nothing listens there (${code}): is the sidecar running, and does sidecar_url lead to it?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name cannot be resolved (${code}): does sidecar_url lead to the sidecar?`;
    case 'EACCES':
      return 'the socket may not be opened by this user (EACCES)';
    default:
      return `the connection failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function explainAnswer(status: number, body: string): string {
  if (status === 401 || status === 403) {
    return `refused with ${status}: sidecar_token must be the same as the sidecar's token`;
  }
  if (status === 503) return `the sidecar cannot take it now (503): ${body.slice(0, 200)}`;
  if (status === 200) return 'an answer of 200 without a receipt: does sidecar_url lead to the sidecar?';
  return `answered ${status} without a receipt: does sidecar_url lead to the sidecar?`;
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3). */
function readRetryAfterMs(header: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
