// The one thing a way of delivery can do.
import type { Notification } from './notification';

export type Outcome =
  | { readonly result: 'sent' }
  /** The same again later may succeed; `afterMs` is the receiver's own wish. */
  | { readonly result: 'retry'; readonly reason: string; readonly afterMs: number | undefined }
  /** The same again cannot succeed. */
  | { readonly result: 'refused'; readonly reason: string };

export interface Channel {
  readonly name: string;
  readonly type: string;
  /** Never rejects, ends within the channel's timeout, and never puts a secret into a reason. */
  send(notification: Notification): Promise<Outcome>;
}
