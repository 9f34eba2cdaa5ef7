// What a channel is given: a message of the router, with what a person needs to act on it.
import type { ExternalLabels } from '../config/external-labels';
import type { Evidence } from '../window/evidence';
import type { Message, MessageItem } from '../route/message';

export interface Link {
  /** `dashboard`, `sentry`, ... */
  readonly name: LinkName;
  readonly url: string;
}

export const LINK_NAMES = ['runbook', 'dashboard', 'prometheus', 'sentry', 'gatewatch'] as const;

export type LinkName = (typeof LINK_NAMES)[number];

export interface NotificationItem extends MessageItem {
  /** The same for an alert for ever. */
  readonly alertKey: string;
  /** Where it fails, and how; `undefined` of an alert that has ended, and of those that are not about requests. */
  readonly evidence: Evidence | undefined;
  readonly links: readonly Link[];
  /** Of the sidecar: they tell its alerts from those of others. */
  readonly externalLabels: ExternalLabels;
  /** Somebody tries the channel: nothing is wrong, which the words say. */
  readonly isTest?: boolean;
}

/** The channel that should have been told, and why it was not; without secrets. */
export interface InsteadOf {
  readonly channel: string;
  readonly reason: string;
}

export interface Notification extends Message {
  /** Only where this channel is told in the place of another. */
  readonly insteadOf?: InsteadOf;
  readonly items: readonly NotificationItem[];
}

/** Whether anything of it fires on. */
export function isFiring({ items, firing }: Notification): boolean {
  return firing > 0 || items.some(({ occasion }) => occasion !== 'resolved');
}
