// `notifications`, `links` and `kong` in the form of gatewatch.yml. Read again they mean the same.
import { formatDuration } from './duration';
import { renderMatcher } from './matcher';
import type {
  DailyTimes,
  KongSettings,
  LinkSettings,
  Matchers,
  NotificationPolicy,
} from './notification-policy';

export function notificationsDocument(policy: NotificationPolicy): object {
  const { quietHours, digest } = policy;
  return {
    group_by: policy.groupBy,
    group_wait: formatDuration(policy.groupWaitMs),
    group_interval: formatDuration(policy.groupIntervalMs),
    repeat_interval: formatDuration(policy.repeatIntervalMs ?? 0),
    repeat_factor: policy.repeatFactor,
    max_repeats_per_day: policy.mostRepeatsPerDay,
    // Without channels there is nobody to name.
    ...(policy.escalation.every(({ channels }) => channels.length > 0)
      ? {
          escalation: policy.escalation.map(({ afterMs, channels, severities }) => ({
            after: formatDuration(afterMs),
            channels,
            severities,
          })),
        }
      : {}),
    inhibit: policy.inhibitions.map(({ source, target, equal }) => ({
      source: matchersDocument(source),
      target: matchersDocument(target),
      equal,
    })),
    maintenance: policy.maintenance.map(({ name, matchers, times, untilDay, comment }) => ({
      name,
      matchers: matchersDocument(matchers),
      ...timesDocument(times),
      until: untilDay,
      comment,
    })),
    ...(quietHours === undefined
      ? {}
      : { quiet_hours: { severities: quietHours.severities, ...timesDocument(quietHours.times) } }),
    ...(digest === undefined
      ? {}
      : { digest: { severities: digest.severities, every: formatDuration(digest.everyMs) } }),
  };
}

export function linksDocument(links: LinkSettings): object {
  return {
    external_url: links.externalUrl ?? '',
    dashboard_url: links.dashboardUrl ?? '',
    prometheus_url: links.prometheusUrl ?? '',
    sentry_url: links.sentryUrl ?? '',
    runbook_url: links.runbookUrl ?? '',
  };
}

export function kongDocument({ statusUrls, intervalMs, timeoutMs }: KongSettings): object {
  return {
    status_urls: statusUrls,
    interval: formatDuration(intervalMs),
    timeout: formatDuration(timeoutMs),
  };
}

function matchersDocument(matchers: Matchers): string[] {
  return matchers.map(renderMatcher);
}

function timesDocument({ days, fromMinute, toMinute, timeZone }: DailyTimes): object {
  return { days, from: timeOfDay(fromMinute), to: timeOfDay(toMinute), time_zone: timeZone };
}

function timeOfDay(minute: number): string {
  const [hours, minutes] = [Math.floor(minute / 60), minute % 60];
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}
