// What a configuration without faults leaves undone or unsafe: sentences for the log and for --check, each with what to do.
import type { Config } from './config';
import { doorWarnings } from './door-warnings';

export function configWarnings(config: Config): string[] {
  const { channels, sentry } = config;
  return [
    ...(channels.length === 0 ? ['no channel is configured: rules are judged, but nobody is told'] : []),
    ...doorWarnings(config),
    // An unset variable makes an empty DSN.
    ...(sentry.monitor !== undefined && sentry.dsn === undefined && sentry.spotlightUrl === undefined
      ? [
          'sentry.monitor: no check-in leaves, since neither sentry.dsn nor Spotlight is set. Set one, or leave out the monitor',
        ]
      : []),
  ];
}
