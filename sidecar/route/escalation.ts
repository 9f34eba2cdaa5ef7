// Whose turn it is: the channels that an alert is due at, by how long it has fired, how bad it is and who has acknowledged it.
import { SEVERITIES, type Severity } from '../../kong-plugin/contract/severity';
import type { EscalationStep } from '../config/notification-policy';
import type { EscalationTimes } from './route-state';

/** Channel -> whether it is told first or because nobody acknowledged. The first step that has the severity is the first notification. */
export type DueChannels = ReadonlyMap<string, 'fired' | 'escalated'>;

export class Escalation {
  readonly #steps: readonly EscalationStep[];
  /** Most alerts are at the same step. */
  readonly #known = new Map<string, DueChannels>();

  constructor(steps: readonly EscalationStep[]) {
    this.#steps = steps;
  }

  /**
   * A step counts from when the alert has had one of its severities without a pause.
   *
   * @param acknowledgedMs Unix ms of the acknowledgement, which stops the steps
   */
  dueChannels(
    severity: Severity,
    times: EscalationTimes,
    acknowledgedMs: number | undefined,
    nowMs: number,
  ): DueChannels {
    const untilMs = Math.min(nowMs, acknowledgedMs ?? Infinity);
    const isDue = ({ severities, afterMs }: EscalationStep): boolean =>
      // Where the clock was set back it fires since now.
      severities.includes(severity) && afterMs <= Math.max(0, untilMs - sinceMs(times, severities));
    let key: string = severity;
    for (const step of this.#steps) key += isDue(step) ? '+' : '-';
    const known = this.#known.get(key) ?? this.#channelsOf(severity, isDue);
    this.#known.set(key, known);
    return known;
  }

  #channelsOf(severity: Severity, isDue: (step: EscalationStep) => boolean): DueChannels {
    const due = new Map<string, 'fired' | 'escalated'>();
    const own = this.#steps.filter(({ severities }) => severities.includes(severity));
    const firstMs = Math.min(...own.map(({ afterMs }) => afterMs));
    for (const { afterMs, channels } of own.filter(isDue))
      for (const channel of channels)
        if (due.get(channel) !== 'fired') due.set(channel, afterMs === firstMs ? 'fired' : 'escalated');
    return due;
  }
}

/** Since when the severity has been one of these. */
function sinceMs({ fromMs, leftMs }: EscalationTimes, own: readonly Severity[]): number {
  const others = SEVERITIES.filter((severity) => !own.includes(severity));
  return Math.max(fromMs, ...others.map((severity) => leftMs[severity] ?? fromMs));
}
