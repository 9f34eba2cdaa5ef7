// From the configuration to what tells Sentry of the sidecar itself. The SDK costs 32 MB and 150 ms, so it is loaded only where
// a DSN or Spotlight is configured.
import { createRequire } from 'node:module';
import type { SentrySettings } from '../config/config';
import { NO_SENTRY, type OwnSentry } from './own-sentry';
import type * as SdkSentry from './sdk-sentry';
import type { SdkParts } from './sdk-sentry';

/** At most once in a process: the SDK is global. */
export function startSentry(settings: SentrySettings, parts: SdkParts): OwnSentry {
  if (settings.dsn === undefined && settings.spotlightUrl === undefined) return NO_SENTRY;
  const { startSdk } = createRequire(__filename)('./sdk-sentry') as typeof SdkSentry;
  return startSdk(settings, parts);
}
