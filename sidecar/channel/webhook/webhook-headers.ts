// The metadata of Standard Webhooks 1.0.0 (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
// the id is the same for every try, so that a receiver that has seen it does nothing twice; the time is that of this try; one
// signature for each secret, so that a receiver that knows the old one or the new one verifies the message.
import { Webhook } from 'standardwebhooks';
import type { Secret } from '../../config/secret';

/**
 * @param id without a full stop, which separates what is signed
 * @param nowMs Unix ms
 * @param body exactly as it is sent
 */
export function webhookHeaders(
  id: string,
  nowMs: number,
  body: string,
  secrets: readonly Secret[],
): Record<string, string> {
  const at = new Date(nowMs);
  const signatures = secrets.map((secret) => new Webhook(secret.reveal()).sign(id, at, body));
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(nowMs / 1_000)),
    ...(signatures.length === 0 ? {} : { 'webhook-signature': signatures.join(' ') }),
  };
}
