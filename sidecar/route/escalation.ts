// Whose turn it is: the channels that an alert is due at, by how long it has fired, how bad it is and who has acknowledged it.
import type { Severity } from '../../kong-plugin/contract/severity';
import type { EscalationStep } from '../config/notification-policy';

/** What the steps are judged by. */
export interface Escalating {
  readonly severity: Severity;
  /** Unix ms from which the steps count: since it fires, or since it got worse after an acknowledgement. */
  readonly fromMs: number;
  /** Unix ms of the acknowledgement, which stops the steps; `undefined` while there is none. */
  readonly acknowledgedMs: number | undefined;
}

/** Channel -> whether it is told first or because nobody acknowledged. The first step that has the severity is the first notification. */
export type DueChannels = ReadonlyMap<string, 'fired' | 'escalated'>;

export class Escalation {
  readonly #steps: readonly EscalationStep[];
  /** Most alerts are at the same step. */
  readonly #known = new Map<string, DueChannels>();

  constructor(steps: readonly EscalationStep[]) {
    this.#steps = steps;
  }

  dueChannels({ severity, fromMs, acknowledgedMs = Infinity }: Escalating, nowMs: number): DueChannels {
    // Where the clock was set back it fires since now.
    const lastedMs = Math.max(0, Math.min(nowMs, acknowledgedMs) - fromMs);
    let key: string = severity;
    for (const { afterMs } of this.#steps) key += afterMs <= lastedMs ? '+' : '-';
    const known = this.#known.get(key) ?? this.#channelsAfter(severity, lastedMs);
    this.#known.set(key, known);
    return known;
  }

  #channelsAfter(severity: Severity, lastedMs: number): DueChannels {
    const due = new Map<string, 'fired' | 'escalated'>();
    const own = this.#steps.filter(({ severities }) => severities.includes(severity));
    const firstMs = Math.min(...own.map(({ afterMs }) => afterMs));
    for (const { afterMs, channels } of own.filter((step) => step.afterMs <= lastedMs))
      for (const channel of channels)
        if (due.get(channel) !== 'fired') due.set(channel, afterMs === firstMs ? 'fired' : 'escalated');
    return due;
  }
}
