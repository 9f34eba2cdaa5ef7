// From `notifications`, `links` and `kong` as they stand in gatewatch.yml to what is in force, with every default filled in.
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { DEFAULT_KONG, DEFAULT_POLICY } from './default-config';
import type { DailyTimes, KongSettings, LinkSettings, NotificationPolicy } from './notification-policy';
import type { KongDocument, LinksDocument, NotificationsDocument } from './notification-shape';

/** @param channels the names of all; they are told at once of everything where there is no escalation */
export function policyOf(document: NotificationsDocument, channels: readonly string[]): NotificationPolicy {
  const { quiet_hours: quiet, digest } = document;
  const repeatIntervalMs = document.repeat_interval ?? DEFAULT_POLICY.repeatIntervalMs;
  return {
    groupBy: document.group_by ?? DEFAULT_POLICY.groupBy,
    groupWaitMs: document.group_wait ?? DEFAULT_POLICY.groupWaitMs,
    groupIntervalMs: document.group_interval ?? DEFAULT_POLICY.groupIntervalMs,
    repeatIntervalMs: repeatIntervalMs === 0 ? undefined : repeatIntervalMs,
    repeatFactor: document.repeat_factor ?? DEFAULT_POLICY.repeatFactor,
    mostRepeatsPerDay: document.max_repeats_per_day ?? DEFAULT_POLICY.mostRepeatsPerDay,
    escalation: document.escalation?.map(({ after, channels: names, severities }) => ({
      afterMs: after,
      channels: names,
      severities: severities ?? SEVERITIES,
    })) ?? [{ afterMs: 0, channels, severities: SEVERITIES }],
    inhibitions: document.inhibit ?? DEFAULT_POLICY.inhibitions,
    maintenance: document.maintenance.map((window) => ({
      name: window.name,
      matchers: window.matchers,
      times: timesOf(window),
      untilDay: window.until,
      comment: window.comment,
    })),
    quietHours: quiet && { severities: quiet.severities, times: timesOf(quiet) },
    digest: digest && { severities: digest.severities, everyMs: digest.every },
  };
}

function timesOf(times: {
  readonly days: DailyTimes['days'];
  readonly from: number;
  readonly to: number;
  readonly time_zone: string;
}): DailyTimes {
  return { days: times.days, fromMinute: times.from, toMinute: times.to, timeZone: times.time_zone };
}

/** An empty address, as from an unset variable, is none. */
export function linksOf(document: LinksDocument): LinkSettings {
  return {
    externalUrl: document.external_url?.replace(/\/+$/, '') || undefined,
    dashboardUrl: document.dashboard_url || undefined,
    prometheusUrl: document.prometheus_url?.replace(/\/+$/, '') || undefined,
    sentryUrl: document.sentry_url || undefined,
    runbookUrl: document.runbook_url || undefined,
  };
}

export function kongOf(document: KongDocument): KongSettings {
  return {
    statusUrls: (document.status_urls ?? DEFAULT_KONG.statusUrls).map((url) => url.replace(/\/+$/, '')),
    intervalMs: document.interval ?? DEFAULT_KONG.intervalMs,
    timeoutMs: document.timeout ?? DEFAULT_KONG.timeoutMs,
  };
}
