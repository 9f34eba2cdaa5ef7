// A JSON document by POST.
import type { Secret } from '../../config/secret';
import type { Conversation } from '../channel';
import { sendRequest, type Answer, type NoAnswer } from './send-request';

/** Never rejects. */
export function postJson(
  url: Secret,
  document: unknown,
  timeoutMs: number,
  conversation?: Conversation,
): Promise<Answer | NoAnswer> {
  return sendRequest(
    {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(document),
      timeoutMs,
    },
    conversation,
  );
}
