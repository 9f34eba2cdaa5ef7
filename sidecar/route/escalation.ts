// Whose turn it is: the channels that an alert is due at, by how long it has fired, how bad it is and who has acknowledged it.
import type { Severity } from '../../kong-plugin/contract/severity';
import type { EscalationStep } from '../config/notification-policy';
import type { SeveritySpan } from './route-state';

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
   * @param severities that it had, the latest last; at least one
   * @param acknowledgedMs Unix ms of the acknowledgement, which stops the steps
   */
  dueChannels(
    severities: readonly SeveritySpan[],
    acknowledgedMs: number | undefined,
    nowMs: number,
  ): DueChannels {
    const untilMs = Math.min(nowMs, acknowledgedMs ?? Infinity);
    const severity = severities.at(-1)?.severity ?? 'info';
    const isDue = ({ severities: own, afterMs }: EscalationStep): boolean =>
      // Where the clock was set back it fires since now.
      own.includes(severity) && afterMs <= Math.max(0, untilMs - sinceMs(severities, own));
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
function sinceMs(severities: readonly SeveritySpan[], own: readonly Severity[]): number {
  const before = severities.findLastIndex(({ severity }) => !own.includes(severity));
  return severities[before + 1]?.fromMs ?? Infinity;
}
