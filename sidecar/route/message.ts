// What one channel is to be told: what is new in one group of alerts, or what was gathered for a digest.
import type { Alert } from '../alert/alert';
import type { EndReason } from '../alert/alert-change';
import type { AlertLabel } from '../config/notification-policy';

/**
 * Why a channel is told of an alert now. `worsened`: its severity rose. `escalated`: nobody has acknowledged it, and it is this
 * channel's turn. `repeated`: it still fires, and the channel was told long ago.
 */
export const OCCASIONS = ['fired', 'worsened', 'escalated', 'repeated', 'acknowledged', 'resolved'] as const;

export type Occasion = (typeof OCCASIONS)[number];

export interface MessageItem {
  readonly alert: Alert;
  readonly occasion: Occasion;
  /** Unix ms. */
  readonly atMs: number;
  /** Only where resolved. */
  readonly endReason: EndReason | undefined;
}

export interface Message {
  /** The same for every try to deliver it, and for no other message. */
  readonly id: string;
  /** The channel's name. */
  readonly channel: string;
  /** `standing`: all that fires, and what ended lately, for a channel that is told of the state again and again. */
  readonly kind: 'group' | 'digest' | 'standing';
  /** The same for all messages of one group to all channels. */
  readonly groupKey: string;
  /** What the alerts of the group have in common; empty for a digest. */
  readonly groupLabels: Readonly<Partial<Record<AlertLabel, string>>>;
  /** What is new, the most severe first; at least one. */
  readonly items: readonly MessageItem[];
  /** How many further ones there are that had no room. */
  readonly leftOut: number;
  /** How many alerts of the group fire now, those of `items` included. */
  readonly firing: number;
  /** Which repeat it is, from 1; 0 where it is none. */
  readonly repeat: number;
  /** Unix ms. */
  readonly createdMs: number;
}
