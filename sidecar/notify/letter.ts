// What can be on its way to a channel: a notification of alerts, or the news that Kong's configuration has changed.
import type { ExternalLabels } from '../config/external-labels';
import type { Notification } from './notification';

export interface ChangeNotice {
  /** The same for every try to deliver it, and for no other letter. */
  readonly id: string;
  /** The channel's name. */
  readonly channel: string;
  readonly kind: 'change';
  /** The Kong that was first seen with it: host and port of its status address. */
  readonly instance: string;
  /** Kong's hash of its configuration. `undefined`: none was known. */
  readonly before: string | undefined;
  readonly after: string;
  /** Of the sidecar. */
  readonly externalLabels: ExternalLabels;
  /** When it was seen, Unix ms. */
  readonly atMs: number;
  /** Unix ms. */
  readonly createdMs: number;
}

export type Letter = Notification | ChangeNotice;

/** What must arrive in order: two letters of one channel that share one of these never overtake each other. */
export function orderKeysOf(letter: Letter): readonly string[] {
  if (letter.kind === 'change' || letter.kind === 'standing') return [letter.kind];
  return [`group ${letter.groupKey}`, ...letter.items.map(({ alertKey }) => `alert ${alertKey}`)];
}
