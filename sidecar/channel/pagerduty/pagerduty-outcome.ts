// In: how a call of the Events API v2 ended. Out: what to do next: 202 is accepted, 429 and 5xx may pass, 400 and the rest cannot
// (https://github.com/PagerDuty/developer-docs/blob/main/docs/events-API-v2/01-Overview.md, response codes). Another 2xx is somebody
// else's page. Of what PagerDuty writes only the words below are told, in words of our own.
import { outcomeOf } from '../http/outcome-of-answer';
import type { Answer, NoAnswer } from '../http/send-request';
import type { PartEnd } from '../send-parts';
import { RATE_LIMIT_WAIT_MS } from './pagerduty-limits';

/** In `status` of an answer: what PagerDuty publishes and what it is known to say. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  'invalid event': 'invalid event',
  'Unrecognized object': 'unrecognized object',
};

/**
 * In `errors`: it is about the key, so that no event of this channel can be taken. As reported in
 * https://github.com/robusta-dev/robusta/issues/571, https://github.com/envato/pagerduty/issues/70 and
 * https://github.com/blockpane/tenderduty/issues/10.
 */
const KEY_WORDS = new Set([
  'Invalid routing key',
  "Length of 'routing_key' is incorrect (should be 32 characters)",
  "'routing_key' cannot contain non-alphanumeric characters.",
]);

/** @param nowMs Unix ms */
export function endOf(answer: Answer | NoAnswer, nowMs: number): PartEnd {
  const outcome = outcomeOf(answer, nowMs);
  if (answer.kind === 'no_answer') return { outcome, isAboutAll: true };
  const { status, body } = answer;
  if (status === 202) return { outcome: { result: 'sent' }, isAboutAll: false };
  if (outcome.result === 'sent') {
    const reason = `answered ${status}, and PagerDuty accepts with 202`;
    return { outcome: { result: 'refused', reason }, isAboutAll: true };
  }
  if (outcome.result === 'retry' && status === 429 && outcome.afterMs === undefined)
    return { outcome: { ...outcome, afterMs: RATE_LIMIT_WAIT_MS }, isAboutAll: true };
  const { statusWord, isAboutKey } = readWords(body);
  const told = [
    ...(statusWord === undefined ? [] : [statusWord]),
    ...(isAboutKey ? ['check routing_key'] : []),
  ];
  const reason = [outcome.reason, ...told].join(': ');
  return { outcome: { ...outcome, reason }, isAboutAll: status !== 400 || isAboutKey };
}

function readWords(body: string): { statusWord: string | undefined; isAboutKey: boolean } {
  const nothing = { statusWord: undefined, isAboutKey: false };
  try {
    const document: unknown = JSON.parse(body);
    if (typeof document !== 'object' || document === null) return nothing;
    const { status, errors } = document as { readonly status?: unknown; readonly errors?: unknown };
    const statusWord =
      typeof status === 'string' && Object.hasOwn(STATUS_WORDS, status) ? STATUS_WORDS[status] : undefined;
    const isAboutKey = Array.isArray(errors) && errors.some((error) => KEY_WORDS.has(error as string));
    return { statusWord, isAboutKey };
  } catch {
    return nothing;
  }
}
