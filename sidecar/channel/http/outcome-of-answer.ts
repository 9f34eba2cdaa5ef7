// In: how a POST ended. Out: what to do next. 2xx is sent; 408, 425, 429, 5xx and no answer may succeed later; everything
// else, redirects and certificates that only a person can mend included, cannot. Only the status and our own words are in a
// reason, never what the receiver wrote.
import type { Outcome } from '../channel';
import { tlsFaultOf } from '../tls-faults';
import type { Answer, NoAnswer } from './send-request';

/** RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4: the client may repeat the request. */
const REPEATABLE_STATUSES = new Set([408, 425, 429]);

/** Codes of undici and of `new URL` that the same address always gives. */
const FINAL_CODES = new Set(['ERR_INVALID_URL', 'UND_ERR_INVALID_ARG']);

/** @param nowMs Unix ms, for a Retry-After that is a date */
export function outcomeOf(answer: Answer | NoAnswer, nowMs: number): Outcome {
  if (answer.kind === 'no_answer') {
    if (FINAL_CODES.has(answer.code))
      return { result: 'refused', reason: `the address cannot be used (${answer.code})` };
    return outcomeOfSilence(answer.code);
  }
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return { result: 'sent' };
  if (status >= 300 && status < 400)
    return { result: 'refused', reason: `answered ${status}, a redirect, which is not followed` };
  if (status >= 500 || REPEATABLE_STATUSES.has(status))
    return { result: 'retry', reason: `answered ${status}`, afterMs: readRetryAfterMs(retryAfter, nowMs) };
  return { result: 'refused', reason: `answered ${status}` };
}

function outcomeOfSilence(code: string): Outcome {
  switch (tlsFaultOf(code)) {
    case 'for another name':
      return {
        result: 'refused',
        reason: `the receiver's certificate is for another name (${code}): check its address`,
      };
    case 'not trusted':
      return {
        result: 'refused',
        reason: `the receiver's certificate is not trusted (${code}): name its authority in ca_file, or else in NODE_EXTRA_CA_CERTS`,
      };
    default:
      return { result: 'retry', reason: `no answer (${code})`, afterMs: undefined };
  }
}

/** RFC 9110 10.2.3: whole seconds or an HTTP date. Anything else is as if it were not there. */
function readRetryAfterMs(retryAfter: string | undefined, nowMs: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const dateMs = /GMT$/.test(retryAfter) ? Date.parse(retryAfter) : NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
