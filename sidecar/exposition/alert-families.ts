// From alerts and the outbox to the families that describe them. Read at the moment of the scrape.
import { ALERT_STATES, isActive, type Alert } from '../alert/alert';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import type { Outbox } from '../outbox/outbox';
import { labelsOf } from '../window/scope';
import type { Labels, MetricFamily } from './metric-family';

/** Rule values in the rule's own unit; a rule that has nothing to judge has no value. */
export function alertFamilies(alerts: Iterable<Alert>): MetricFamily[] {
  const all = [...alerts];
  return [
    {
      name: 'gatewatch_rule_value',
      help: 'What a rule measured in its last round: a quantile in ms, a rate, score or ratio 0 to 1, a burn rate, 1 for what is bad',
      type: 'gauge',
      samples: all.flatMap((alert) =>
        alert.verdict.value === undefined ? [] : [{ labels: subjectOf(alert), value: alert.verdict.value }],
      ),
    },
    {
      name: 'gatewatch_alert_state',
      help: '1 for the state that an alert is in, 0 for the others; unknown: the rule cannot tell',
      type: 'gauge',
      samples: all.flatMap((alert) =>
        ALERT_STATES.map((state) => ({
          labels: { ...subjectOf(alert), severity: alert.severity, state },
          value: state === alert.state ? 1 : 0,
        })),
      ),
    },
    {
      name: 'gatewatch_alerts_active',
      help: 'Alerts that fire, acknowledged ones included, by severity',
      type: 'gauge',
      samples: SEVERITIES.map((severity) => ({
        labels: { severity },
        value: all.filter((alert) => isActive(alert) && alert.severity === severity).length,
      })),
    },
  ];
}

function subjectOf({ rule, scope }: Alert): Labels {
  return { rule: rule.name, level: scope.level, ...labelsOf(scope) };
}

export function channelFamilies(outbox: Outbox): MetricFamily[] {
  const outcomes = [...outbox.counts()].flatMap(([channel, counts]) =>
    Object.entries(counts).map(([outcome, value]) => ({ labels: { channel, outcome }, value })),
  );
  return [
    {
      name: 'gatewatch_notifications_total',
      help: 'Notifications by how they ended on a channel; retried counts tries that are repeated, replaced states that were overtaken',
      type: 'counter',
      samples: outcomes,
    },
    {
      name: 'gatewatch_notifications_queued',
      help: 'Notifications that wait to be delivered',
      type: 'gauge',
      samples: outbox.status().map(({ name, queued }) => ({ labels: { channel: name }, value: queued })),
    },
    {
      name: 'gatewatch_dead_letters',
      help: 'Notifications that neither their channel nor its fallbacks took, and that are kept to be sent again',
      type: 'gauge',
      samples: [{ labels: {}, value: outbox.deadLetters().length }],
    },
    {
      name: 'gatewatch_dead_letters_let_go_total',
      help: 'Dead letters since the start that there was no room or time for any more',
      type: 'counter',
      samples: [{ labels: {}, value: outbox.deadLettersLetGo }],
    },
  ];
}
