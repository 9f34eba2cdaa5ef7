// From the configuration to what channels are made with.
import type { Clock } from '../clock';
import type { Config } from '../config/config';
import { envelopeUrlOf } from '../config/sentry-dsn';
import type { Conversation } from './channel';
import type { ChannelParts } from './channel-parts';

export interface ChannelSurroundings {
  readonly clock: Clock;
  /** Of this program. */
  readonly version: string;
  readonly conversation?: Conversation;
}

export function channelPartsOf({ sentry, links }: Config, surroundings: ChannelSurroundings): ChannelParts {
  const { clock, version, conversation } = surroundings;
  return {
    clock,
    project: {
      envelopeUrl: sentry.dsn && envelopeUrlOf(sentry.dsn.reveal(), version),
      spotlightUrl: sentry.spotlightUrl,
      environment: sentry.environment,
      release: sentry.release ?? `gatewatch@${version}`,
    },
    externalUrl: links.externalUrl,
    ...(conversation && { conversation }),
  };
}
