// The one thing a way of delivery can do: take a notification, or say whether it ever will.
import type { DeliverySettings } from '../config/channel/channel-base';
import type { ChangeNotice } from '../notify/letter';
import type { Notification } from '../notify/notification';

/**
 * What a channel wants to remember of what it said of one group of alerts, as a chat's own number of the first message. It is
 * kept on disk, given back with the next notification of the group, and forgotten once nothing of the group fires.
 */
export type Thread = Readonly<Record<string, string>>;

export type Outcome =
  | {
      readonly result: 'sent';
      readonly thread?: Thread;
      /** What went wrong though it was sent, as of one member of a cluster; without secrets. */
      readonly warning?: string;
    }
  | {
      /** The same again later may succeed. */
      readonly result: 'retry';
      /** Without secrets, as all reasons. */
      readonly reason: string;
      /** The receiver's own wish, ms: until then it wants nothing at all. */
      readonly afterMs: number | undefined;
      /** What was done already. */
      readonly thread?: Thread;
    }
  /** The same again cannot succeed. */
  | { readonly result: 'refused'; readonly reason: string; readonly thread?: Thread };

export interface Channel {
  readonly name: string;
  readonly type: string;
  readonly delivery: DeliverySettings;
  /** Of all that it was set to; `undefined` where that is not known. */
  readonly fingerprint?: string;
  /** Never rejects, ends within the channel's timeout, and never puts a secret into a reason. */
  send(notification: Notification, thread?: Thread): Promise<Outcome>;
  /** Only of those that are told when Kong's configuration changes. */
  sendChange?(change: ChangeNotice): Promise<Outcome>;
}

/** Told of what is said to a receiver and what it answers, line by line, secrets too: whoever prints it takes them out. */
export interface Conversation {
  said(line: string): void;
  heard(line: string): void;
}
