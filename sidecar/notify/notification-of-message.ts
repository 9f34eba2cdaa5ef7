// From the router's message to what a channel is given: evidence and links for each alert.
import { alertKey } from '../alert/alert-key';
import type { Alert } from '../alert/alert';
import { fillTemplate, type LinkValues } from '../config/link-template';
import type { Config } from '../config/config';
import type { LinkSettings } from '../config/notification-policy';
import type { Message, MessageItem } from '../route/message';
import type { Evidence } from '../window/evidence';
import { labelsOf } from '../window/scope';
import type { Link, Notification } from './notification';
import { expressionOf } from './prometheus-link';

/** Nobody reads further where so much is wrong, and each costs a look through the windows. */
const MOST_EVIDENCED = 10;

/** How much a dashboard shows of the time before an alert began, ms. */
const BEFORE_MS = 30 * 60_000;

/** What of the configuration is in every message. */
export type MessageSettings = Pick<Config, 'links' | 'externalLabels'>;

/** @param evidenceOf what the windows say of an alert that fires */
export function notificationOf(
  message: Message,
  { links, externalLabels }: MessageSettings,
  evidenceOf: (alert: Alert) => Evidence | undefined,
): Notification {
  return {
    ...message,
    items: message.items.map((item, index) => ({
      ...item,
      alertKey: alertKey(item.alert.rule.name, item.alert.scope),
      evidence: isTold(message, item, index) ? evidenceOf(item.alert) : undefined,
      links: linksOf(item.alert, links, item.atMs),
      externalLabels,
    })),
  };
}

/** What a digest tells is over for a while: what is wrong now would be beside the point. */
function isTold({ kind }: Message, { occasion }: MessageItem, index: number): boolean {
  return kind === 'group' && occasion !== 'resolved' && index < MOST_EVIDENCED;
}

/** Under which addresses people find out more. @param atMs up to when a dashboard is shown */
export function linksOf(alert: Alert, settings: LinkSettings, atMs: number): Link[] {
  const { service = '', operation = '', error_type: errorType = '' } = labelsOf(alert.scope);
  const values: LinkValues = {
    rule: alert.rule.name,
    service,
    operation,
    error_type: errorType,
    from_ms: String((alert.sinceMs ?? atMs) - BEFORE_MS),
    to_ms: String(atMs),
  };
  const fill = (template: string | undefined): string | undefined =>
    template && fillTemplate(template, values);
  const expression = expressionOf(alert);
  const found: Record<Link['name'], string | undefined> = {
    runbook: fill(alert.rule.runbookUrl ?? settings.runbookUrl),
    dashboard: fill(settings.dashboardUrl),
    prometheus: settings.prometheusUrl && graphUrl(settings.prometheusUrl, expression),
    sentry: fill(settings.sentryUrl),
    // Its pages are for browsers; the API may ask for the token.
    gatewatch: settings.externalUrl && `${settings.externalUrl}/`,
  };
  return Object.entries(found).flatMap(([name, url]) =>
    url === undefined ? [] : [{ name: name as Link['name'], url }],
  );
}

/** The graph of an expression, as Prometheus' own page is asked for it. */
function graphUrl(prometheusUrl: string, expression: string | undefined): string | undefined {
  if (expression === undefined) return undefined;
  return `${prometheusUrl}/graph?g0.expr=${encodeURIComponent(expression)}&g0.tab=0&g0.range_input=1h`;
}
