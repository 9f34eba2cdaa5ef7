// What a template is given of a notification: what Alertmanager's webhook would say of it, and our words. Nothing is ever missing
// (see TemplateVariables), so that a template that works for one message works for all.
import { severityRank, type Severity } from '../../../kong-plugin/contract/severity';
import {
  NO_LABELS,
  type TemplateAlert,
  type TemplateLabels,
  type TemplateVariables,
} from '../../config/channel/template-variables';
import { valuesOf } from '../../notify/describe-alert';
import { describeNotification, plainText, type DescribedItem } from '../../notify/describe-notification';
import { isFiring, LINK_NAMES, type Link, type LinkName, type Notification } from '../../notify/notification';
import { alertDocument, common, groupLabelsOf, type AlertDocument } from './alertmanager-document';

/** @param receiver the channel's name @param externalUrl where people reach the sidecar, empty where that is not known */
export function variablesOf(
  notification: Notification,
  receiver: string,
  externalUrl: string,
): TemplateVariables {
  const described = describeNotification(notification);
  const alerts = described.items.map((item) => ({ item, document: alertDocument(item.item, item) }));
  const { id, kind, groupKey, createdMs, firing, repeat, leftOut } = notification;
  return {
    id,
    kind,
    status: isFiring(notification) ? 'firing' : 'resolved',
    severity: worstThatFires(notification),
    title: described.title,
    text: plainText(described),
    notes: described.notes,
    receiver,
    groupKey,
    groupLabels: allLabels(groupLabelsOf(notification)),
    commonLabels: allLabels(common(alerts.map(({ document }) => document.labels))),
    externalURL: externalUrl,
    externalLabels: Object.entries(notification.items[0]?.externalLabels ?? {}).map(([name, value]) => {
      return { name, value };
    }),
    createdAt: new Date(createdMs).toISOString(),
    firing,
    repeat,
    truncatedAlerts: leftOut,
    alerts: alerts.map(({ item, document }) => alertVariables(item, document)),
  };
}

function alertVariables(
  { item, title, sentences, links }: DescribedItem,
  { status, labels, startsAt, endsAt, fingerprint }: AlertDocument,
): TemplateAlert {
  const { alert, occasion } = item;
  const { value, threshold } = alert.verdict;
  const words = value === undefined ? { value: '', threshold: '' } : valuesOf(alert);
  return {
    status,
    occasion,
    severity: alert.severity,
    title,
    sentences,
    labels: allLabels(labels),
    startsAt,
    endsAt: status === 'resolved' ? endsAt : '',
    value: value ?? null,
    threshold: value === undefined ? null : threshold,
    valueText: words.value,
    thresholdText: words.threshold,
    acknowledgedBy: alert.acknowledgement?.by ?? '',
    fingerprint,
    links,
    link: linksByName(links),
  };
}

function allLabels(labels: Readonly<Partial<Record<string, string>>>): TemplateLabels {
  return { ...NO_LABELS, ...labels };
}

function linksByName(links: readonly Link[]): Record<LinkName, string> {
  const urlOf = (wanted: LinkName): string => links.find(({ name }) => name === wanted)?.url ?? '';
  return Object.fromEntries(LINK_NAMES.map((name) => [name, urlOf(name)])) as Record<LinkName, string>;
}

function worstThatFires({ items }: Notification): Severity | '' {
  return items
    .filter(({ occasion }) => occasion !== 'resolved')
    .map(({ alert }) => alert.severity)
    .reduce<Severity | ''>(
      (worst, severity) => (worst === '' || severityRank(severity) > severityRank(worst) ? severity : worst),
      '',
    );
}
