// What a template of the webhook channel is given. Every name is there in every message, so that a name that is not is a mistake in
// the template; what a message has none of is an empty text, a `null` number or an empty list. Times are ISO 8601 in UTC.
import type { Severity } from '../../../kong-plugin/contract/severity';
import type { AlertLabel } from '../notification-policy';

/** As in Alertmanager a rule's name is the alert's name. */
export type TemplateLabel = 'alertname' | Exclude<AlertLabel, 'rule'>;

export type TemplateLabels = Readonly<Record<TemplateLabel, string>>;

/** What a label is that an alert does not have. */
export const NO_LABELS: TemplateLabels = {
  alertname: '',
  kind: '',
  level: '',
  severity: '',
  service: '',
  operation: '',
  error_type: '',
  instance: '',
  upstream: '',
  target: '',
};

export const TEMPLATE_LINKS = ['runbook', 'dashboard', 'prometheus', 'sentry', 'gatewatch'] as const;

export type TemplateLink = (typeof TEMPLATE_LINKS)[number];

export interface TemplateAlert {
  readonly status: 'firing' | 'resolved';
  /** Why it is told now: fired, worsened, escalated, repeated, acknowledged, resolved. */
  readonly occasion: string;
  readonly severity: Severity;
  /** One line. */
  readonly title: string;
  /** What is to be known beside the title. */
  readonly sentences: readonly string[];
  readonly labels: TemplateLabels;
  readonly startsAt: string;
  /** Empty while it fires. */
  readonly endsAt: string;
  /** `null` where the rule has no number. */
  readonly value: number | null;
  readonly threshold: number | null;
  /** As a person reads it: 812 ms. */
  readonly valueText: string;
  readonly thresholdText: string;
  readonly acknowledgedBy: string;
  /** The same for an alert for ever: 16 hexadecimal digits, the id of `gatewatch ack`. */
  readonly fingerprint: string;
  /** Those that there are. */
  readonly links: readonly { readonly name: string; readonly url: string }[];
  /** The same by name: alert.link.runbook. */
  readonly link: Readonly<Record<TemplateLink, string>>;
}

export interface TemplateVariables {
  /** The same for every try, and for no other message. */
  readonly id: string;
  /** `group`, or `digest` for what was gathered. */
  readonly kind: string;
  /** `firing` while anything of the group fires. */
  readonly status: 'firing' | 'resolved';
  /** Of the worst that fires; empty where nothing does. */
  readonly severity: Severity | '';
  /** One line for all of it. */
  readonly title: string;
  /** All of it as lines of plain text, without the title. */
  readonly text: string;
  /** What is to be known of the message as a whole. */
  readonly notes: readonly string[];
  /** The channel's name. */
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: TemplateLabels;
  readonly commonLabels: TemplateLabels;
  /** Where people reach the sidecar. */
  readonly externalURL: string;
  /** Of the sidecar, in their order: a name that one configuration has is no mistake in a template where another has none. */
  readonly externalLabels: readonly { readonly name: string; readonly value: string }[];
  readonly createdAt: string;
  /** How many alerts of the group fire now. */
  readonly firing: number;
  /** Which repeat it is; 0 where it is none. */
  readonly repeat: number;
  /** How many alerts had no room in the message. */
  readonly truncatedAlerts: number;
  /** The worst first; at least one. */
  readonly alerts: readonly TemplateAlert[];
}
