// Alerts that fire and end as a test says, routed round by round, and told in short: `slack: fired shop critical`.
import type { Severity } from '../../kong-plugin/contract/severity';
import type { Alert } from '../../sidecar/alert/alert';
import type { AlertChange, EndReason } from '../../sidecar/alert/alert-change';
import { alertKey } from '../../sidecar/alert/alert-key';
import type { NotificationPolicy } from '../../sidecar/config/notification-policy';
import { deliveriesEnded, type Delivery } from '../../sidecar/route/delivery';
import type { Message } from '../../sidecar/route/message';
import { EMPTY_ROUTE_STATE, type RouteState } from '../../sidecar/route/route-state';
import { route } from '../../sidecar/route/router';
import type { Silence } from '../../sidecar/route/silence';
import {
  ALERT_START_MS,
  acknowledgedAlert,
  easedAlert,
  firingAlert,
  resolvedAlert,
  samplePolicy,
  worsenedAlert,
} from './sample-alerts';

const MINUTE_MS = 60_000;

export class RoutingStory {
  state: RouteState = EMPTY_ROUTE_STATE;
  policy: NotificationPolicy;
  channels: readonly string[] = ['slack', 'phone'];
  silences: readonly Silence[] = [];
  nowMs = ALERT_START_MS;
  messages: readonly Message[] = [];
  /** How the messages of a round end at once; `undefined`: they wait for `end`. */
  delivery: Delivery['how'] | undefined = 'sent';
  /** By a name of the test's. */
  readonly alerts = new Map<string, Alert>();
  #changes: AlertChange[] = [];

  constructor(policy: Partial<NotificationPolicy> = {}) {
    this.policy = samplePolicy(policy);
  }

  /** Of the service that it is named after, unless `changes` say otherwise. */
  fire(name: string, severity: Severity = 'critical', changes: Partial<Alert> = {}): this {
    const sinceMs = this.nowMs;
    const scope = { level: 'service', service: name } as const;
    this.alerts.set(name, firingAlert({ scope, severity, sinceMs, ...changes }));
    return this;
  }

  acknowledge(name: string, by = 'ada'): this {
    this.alerts.set(name, acknowledgedAlert(this.#alert(name), by, this.nowMs));
    return this;
  }

  worsen(name: string, severity: Severity): this {
    this.alerts.set(name, worsenedAlert(this.#alert(name), severity));
    return this;
  }

  ease(name: string, severity: Severity): this {
    this.alerts.set(name, easedAlert(this.#alert(name), severity));
    return this;
  }

  resolve(name: string, endReason: EndReason = 'recovered'): this {
    const alert = resolvedAlert(this.#alert(name), this.nowMs);
    this.alerts.set(name, alert);
    this.#changes.push({ kind: 'resolved', alert, atMs: this.nowMs, endReason });
    return this;
  }

  /** It is gone, and nobody says how it ended. */
  lose(name: string): this {
    this.alerts.delete(name);
    return this;
  }

  /** One round, so many minutes after the start. What the test does next happens at the time of the next round. */
  round(minute?: number): string[] {
    if (minute !== undefined) this.at(minute);
    const { state, messages } = route(this.state, {
      policy: this.policy,
      channels: this.channels,
      alerts: this.alerts.values(),
      changes: this.#changes,
      silences: this.silences,
      nowMs: this.nowMs,
      aheadMs: 0,
    });
    this.state = state;
    this.messages = messages;
    this.#changes = [];
    const how = this.delivery;
    if (how !== undefined) for (const message of messages) this.end(message, how);
    return messages.map(brief);
  }

  /** So ends the delivery of a message, now. */
  end({ channel, id }: Message, how: Delivery['how']): this {
    this.state = deliveriesEnded(this.state, [{ channel, id, how }], this.nowMs);
    return this;
  }

  /** Rounds at every so many minutes; those that said something, with their minute. */
  rounds(fromMinute: number, toMinute: number, everyMinutes = 1): string[] {
    const said: string[] = [];
    for (let minute = fromMinute; minute <= toMinute; minute += everyMinutes)
      said.push(...this.round(minute).map((text) => `${minute} ${text}`));
    return said;
  }

  at(minute: number): this {
    this.nowMs = ALERT_START_MS + minute * MINUTE_MS;
    return this;
  }

  key(name: string): string {
    const { rule, scope } = this.#alert(name);
    return alertKey(rule.name, scope);
  }

  #alert(name: string): Alert {
    const alert = this.alerts.get(name);
    if (!alert) throw new Error(`no alert "${name}"`);
    return alert;
  }
}

function brief({ channel, kind, items, leftOut, repeat }: Message): string {
  const told = items.map(({ occasion, alert: { scope, severity } }) => {
    const name = 'service' in scope ? scope.service : scope.level;
    return `${occasion} ${name} ${severity}`;
  });
  const more = leftOut > 0 ? ` and ${leftOut} more` : '';
  return `${channel}:${kind === 'digest' ? ' digest:' : ''} ${told.join(', ')}${more}${repeat > 0 ? ` (${repeat})` : ''}`;
}
