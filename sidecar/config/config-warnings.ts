// What a configuration without faults leaves undone or unsafe: sentences for the log and for --check, each with what to do.
import { isIP } from 'node:net';
import { SEVERITIES, type Severity } from '../../kong-plugin/contract/severity';
import type { Config } from './config';
import { doorWarnings } from './door-warnings';
import { isPublicAddress } from './public-address';
import { variantsOf, type Rule, type ScopeMatch } from './rule';

const DAY_MS = 86_400_000;

/** @param nowMs Unix ms */
export function configWarnings(config: Config, nowMs: number): string[] {
  const { channels, sentry } = config;
  return [
    ...(channels.length === 0 ? ['no channel is configured: rules are judged, but nobody is told'] : []),
    ...escalationWarnings(config),
    ...overrideWarnings(config),
    ...maintenanceWarnings(config, nowMs),
    ...privateAddressWarnings(config),
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
  const isFallback = (name: string): boolean => channels.some(({ delivery }) => delivery.fallback === name);
  const used = new Set(rules.flatMap(variantsOf).flatMap(severitiesOf));
  return [
    ...SEVERITIES.filter((severity) => used.has(severity) && !covered.has(severity)).map(
      (severity) =>
        `notifications.escalation: no step has the severity ${severity}, which rules have: nobody is told of such alerts`,
    ),
    ...channels
      .filter(({ name, type }) => type !== 'alertmanager' && !told.has(name) && !isFallback(name))
      .map(
        ({ name }) =>
          `notifications.escalation: no step has the channel ${name}, so it is never told anything`,
      ),
  ];
}

/** Overrides that can never hold: of something else than their rule, or behind one that matches the same. */
function overrideWarnings({ rules }: Config): string[] {
  return rules.flatMap(({ name, match, overrides }) =>
    overrides.flatMap((override, index) => {
      const place = `rules.${name}.overrides[${index}]`;
      if (!agrees(override.match, match)) return [`${place}: the rule itself matches nothing of this`];
      const before = overrides.slice(0, index).findIndex((other) => isPartOf(other.match, override.match));
      return before < 0 ? [] : [`${place}: overrides[${before}] matches the same, and the first holds`];
    }),
  );
}

/** Whether one alert can match both. */
function agrees(a: ScopeMatch, b: ScopeMatch): boolean {
  return MATCH_KEYS.every((key) => a[key] === undefined || b[key] === undefined || a[key] === b[key]);
}

/** Whether whatever matches `all` matches `part` too. */
function isPartOf(part: ScopeMatch, all: ScopeMatch): boolean {
  return MATCH_KEYS.every((key) => part[key] === undefined || part[key] === all[key]);
}

const MATCH_KEYS = ['service', 'operation', 'errorType'] as const satisfies readonly (keyof ScopeMatch)[];

/** It is no fault, or every window would break the file some day. */
function maintenanceWarnings({ notifications }: Config, nowMs: number): string[] {
  return notifications.maintenance.flatMap(({ name, untilDay, times: { timeZone } }) => {
    // One that begins late in the evening ends on the day after. The Swedish write 2027-03-31.
    const lastOpenDay = new Date(nowMs - DAY_MS).toLocaleDateString('sv-SE', { timeZone });
    if (untilDay >= lastOpenDay) return [];
    return [
      `notifications.maintenance: the window ${name} was last open on ${untilDay}, and silences nothing any more. ` +
        'Leave it out, or set a later until',
    ];
  });
}

/** A name may lead anywhere; an address that stands in the file is known. */
function privateAddressWarnings({ channels }: Config): string[] {
  return channels.flatMap((channel) => {
    if (channel.type !== 'webhook' || channel.allowsPrivateAddresses) return [];
    // In a URL an IPv6 address stands in brackets.
    const host = new URL(channel.url.reveal()).hostname.replace(/^\[|\]$/g, '');
    if (host !== 'localhost' && (isIP(host) === 0 || isPublicAddress(host))) return [];
    return [
      `channels.${channel.name}: its address is on this machine or in a private network, so nothing is sent. ` +
        'If that is meant, set allow_private_addresses: true',
    ];
  });
}

function severitiesOf(rule: Rule): Severity[] {
  if ('thresholds' in rule) return rule.thresholds.map(({ severity }) => severity);
  if ('windows' in rule) return rule.windows.map(({ severity }) => severity);
  return [rule.severity];
}
