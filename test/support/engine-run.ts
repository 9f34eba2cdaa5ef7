// An engine with traffic, round by round, without a clock: what each channel is told, in short: `slack: fired errors shop critical`.
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import type { Delta } from '../../kong-plugin/contract/delta';
import type { Alert } from '../../sidecar/alert/alert';
import { alertId, alertKey } from '../../sidecar/alert/alert-key';
import type { NotificationPolicy } from '../../sidecar/config/notification-policy';
import type { Rule } from '../../sidecar/config/rule';
import { Engine, type EngineSettings } from '../../sidecar/engine';
import type { KongFacts } from '../../sidecar/kong/kong-facts';
import type { Message, MessageItem } from '../../sidecar/route/message';
import { labelsOf } from '../../sidecar/window/scope';
import { ALERT_START_MS, samplePolicy } from './sample-alerts';

const NO_KONG: KongFacts = { instances: [], observed: () => undefined };

/** What happens in a piece of time that begins so many ms after the start. */
export type Traffic = (sinceStartMs: number) => readonly Delta[];

export interface EngineRunOptions {
  readonly rules: readonly Rule[];
  readonly policy?: Partial<NotificationPolicy>;
  readonly channels?: readonly string[];
  readonly kong?: KongFacts;
  /** Between two rounds. */
  readonly intervalMs?: number;
  /** Between two deliveries of traffic; a round is among them. */
  readonly stepMs?: number;
}

export interface Told {
  /** Since the start. */
  readonly atMs: number;
  readonly text: string;
}

export class EngineRun {
  readonly engine: Engine;
  kong: KongFacts;
  nowMs = ALERT_START_MS;
  /** Of every round so far. */
  readonly told: Told[] = [];
  readonly messages: Message[] = [];
  #settings: EngineSettings;
  readonly #intervalMs: number;
  readonly #stepMs: number;

  constructor({
    rules,
    policy,
    channels = ['slack'],
    kong,
    intervalMs = 5_000,
    stepMs = intervalMs,
  }: EngineRunOptions) {
    this.kong = kong ?? NO_KONG;
    this.#intervalMs = intervalMs;
    this.#stepMs = stepMs;
    const escalation = [{ afterMs: 0, channels, severities: SEVERITIES }];
    this.#settings = {
      rules,
      policy: samplePolicy({ escalation, ...policy }),
      channels,
      standing: [],
      hasKong: kong !== undefined,
    };
    this.engine = new Engine(this.#settings, this.nowMs, () => this.kong);
  }

  get sinceStartMs(): number {
    return this.nowMs - ALERT_START_MS;
  }

  /** So much more time with this traffic, and the rounds in it. What is told on the way. */
  run(forMs: number, traffic: Traffic = () => []): string[] {
    const before = this.told.length;
    const endMs = this.sinceStartMs + forMs;
    while (this.sinceStartMs < endMs) {
      const deltas = traffic(this.sinceStartMs);
      this.nowMs += this.#stepMs;
      this.engine.windows.add(this.nowMs, deltas, this.nowMs);
      if (this.sinceStartMs % this.#intervalMs === 0) this.round();
    }
    return this.told.slice(before).map(({ text }) => text);
  }

  round(): string[] {
    return this.#tell(this.engine.round(this.nowMs, 0).messages);
  }

  reconfigure(changes: Partial<EngineSettings>): void {
    this.#settings = { ...this.#settings, ...changes };
    this.engine.reconfigure(this.#settings, this.nowMs);
  }

  /** Of a rule, for the scope with this label, or the gateway. */
  alert(rule: string, of = ''): Alert | undefined {
    return [...this.engine.book.alerts()].find(
      (alert) => alert.rule.name === rule && nameOf(alert) === (of === '' ? 'gateway' : of),
    );
  }

  acknowledge(rule: string, of: string, by = 'ada'): string[] {
    const alert = this.alert(rule, of);
    if (!alert) throw new Error(`no alert ${rule} of ${of}`);
    const id = alertId(alertKey(alert.rule.name, alert.scope));
    const answer = this.engine.acknowledge(id, by, '', this.nowMs, 0);
    return this.#tell('messages' in answer ? answer.messages : []);
  }

  #tell(messages: readonly Message[]): string[] {
    const texts = messages.flatMap((message) => message.items.map((item) => brief(message.channel, item)));
    this.messages.push(...messages);
    this.told.push(...texts.map((text) => ({ atMs: this.sinceStartMs, text })));
    return texts;
  }
}

/** `slack: fired errors shop critical` */
export function brief(channel: string, { alert, occasion }: Pick<MessageItem, 'alert' | 'occasion'>): string {
  return `${channel}: ${occasion} ${alert.rule.name} ${nameOf(alert)} ${alert.severity}`;
}

/** The last of the labels that its scope has. */
function nameOf({ scope }: Alert): string {
  return Object.values(labelsOf(scope)).at(-1) ?? scope.level;
}

/** One request each so many ms of a step, which took so long or failed. */
export function many(delta: Delta, times: number): Delta {
  return {
    ...delta,
    requests: delta.requests * times,
    upstream: {
      count: delta.upstream.count * times,
      sumMs: delta.upstream.sumMs * times,
      cells: new Map([...delta.upstream.cells].map(([cell, count]) => [cell, count * times])),
    },
    failedAddresses: new Map(
      [...delta.failedAddresses].map(([address, failures]) => [address, failures * times]),
    ),
  };
}
