// What channels are made with, beside their settings.
import type { Clock } from '../clock';
import type { Conversation } from './channel';
import type { SentryProject } from './sentry/sentry-channel';

export interface ChannelParts {
  readonly clock: Clock;
  /** Where channels of the type sentry send to. */
  readonly project: SentryProject;
  /** Where people reach the sidecar; `undefined` where that is not known. */
  readonly externalUrl: string | undefined;
  /** Listens to what is said; nobody does where it is left out. */
  readonly conversation?: Conversation;
}
