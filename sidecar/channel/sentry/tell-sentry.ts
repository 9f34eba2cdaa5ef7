// What is said to Sentry and what it answers, for whoever listens, as HTTP/1.1 would write it. Sentry is spoken to by its own ways
// (see sentry/post-envelope.ts and sentry-api.ts), and not by sendRequest.
import type { Conversation } from '../channel';

export interface SaidToSentry {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function tellSaid(
  conversation: Conversation | undefined,
  { method, url, headers, body }: SaidToSentry,
): void {
  if (!conversation) return;
  conversation.said(`${method} ${url}`);
  for (const [name, value] of Object.entries(headers)) conversation.said(`${name}: ${value}`);
  if (body === '') return;
  conversation.said('');
  for (const line of body.trimEnd().split('\n')) conversation.said(line);
}

/** @param body empty where it is not read */
export function tellHeard(
  conversation: Conversation | undefined,
  answer:
    | { readonly kind: 'answer'; readonly status: number; readonly retryAfter: string | undefined }
    | { readonly kind: 'no_answer'; readonly code: string },
  body = '',
): void {
  if (!conversation) return;
  if (answer.kind === 'no_answer') {
    conversation.heard(`(no answer: ${answer.code})`);
    return;
  }
  conversation.heard(String(answer.status));
  if (answer.retryAfter !== undefined) conversation.heard(`retry-after: ${answer.retryAfter}`);
  if (body === '') return;
  conversation.heard('');
  for (const line of body.split('\n')) conversation.heard(line);
}
