// What a configuration without faults leaves undone or unsafe: sentences for the log and for --check, each with what to do.
import { SEVERITIES, type Severity } from '../../kong-plugin/contract/severity';
import type { Config } from './config';
import { doorWarnings } from './door-warnings';
import { variantsOf, type Rule } from './rule';

export function configWarnings(config: Config): string[] {
  const { channels, sentry } = config;
  return [
    ...(channels.length === 0 ? ['no channel is configured: rules are judged, but nobody is told'] : []),
    ...escalationWarnings(config),
    ...doorWarnings(config),
    // An unset variable makes an empty DSN.
    ...(sentry.monitor !== undefined && sentry.dsn === undefined && sentry.spotlightUrl === undefined
      ? [
          'sentry.monitor: no check-in leaves, since neither sentry.dsn nor Spotlight is set. Set one, or leave out the monitor',
        ]
      : []),
  ];
}

/** Alerts that go to nobody, and channels that hear of none. */
function escalationWarnings({ channels, notifications, rules }: Config): string[] {
  if (channels.length === 0) return [];
  const { escalation } = notifications;
  const covered = new Set(escalation.flatMap(({ severities }) => severities));
  const told = new Set(escalation.flatMap((step) => step.channels));
  const used = new Set(rules.flatMap(variantsOf).flatMap(severitiesOf));
  return [
    ...SEVERITIES.filter((severity) => used.has(severity) && !covered.has(severity)).map(
      (severity) =>
        `notifications.escalation: no step has the severity ${severity}, which rules have: nobody is told of such alerts`,
    ),
    ...channels
      .filter(({ name }) => !told.has(name))
      .map(
        ({ name }) =>
          `notifications.escalation: no step has the channel ${name}, so it is never told anything`,
      ),
  ];
}

function severitiesOf(rule: Rule): Severity[] {
  if ('thresholds' in rule) return rule.thresholds.map(({ severity }) => severity);
  if ('windows' in rule) return rule.windows.map(({ severity }) => severity);
  return [rule.severity];
}
