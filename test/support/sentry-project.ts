// Where channels send that are none of Sentry's.
import type { SentryProject } from '../../sidecar/channel/sentry/sentry-channel';

export const NO_PROJECT: SentryProject = {
  envelopeUrl: undefined,
  spotlightUrl: undefined,
  environment: 'test',
  release: 'gatewatch@test',
};
