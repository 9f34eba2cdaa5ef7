// What a rule says of one scope in one round.
import type { Severity } from '../../kong-plugin/contract/severity';

/** Why a rule cannot tell. */
export type Doubt =
  /** Nothing to judge in the window. */
  | 'no_requests'
  /** Over a threshold, or between two, but with too few requests to be sure of it. */
  | 'too_few_requests'
  /** The sidecar was away for a part of the window, and nobody delivered what happened then. */
  | 'gap'
  /** Kong does not answer, or was not asked yet, so what it would say is not known. */
  | 'kong_unreachable';

export interface Verdict {
  /**
   * `between`: neither a breach nor better than what the rule resolves at.
   * `cannot_tell`: proves neither trouble nor recovery; it fires nothing and ends nothing.
   */
  readonly state: 'breached' | 'between' | 'healthy' | 'cannot_tell';
  /** The worst that is breached; only where breached. */
  readonly severity: Severity | undefined;
  /** Only where the rule cannot tell. */
  readonly doubt: Doubt | undefined;
  /** In the rule's own unit: ms, a share, a score or a factor. `undefined` where there is nothing to judge. */
  readonly value: number | undefined;
  /** The worst threshold that is breached, else the mildest. Of a rule without numbers 0. */
  readonly threshold: number;
  /** How many requests the value rests on. */
  readonly samples: number;
  /** Only of a burn rate: the row that the value and threshold are of. */
  readonly windows?: { readonly longMs: number; readonly shortMs: number };
  /** Only of a burn rate of which a part cannot tell: the worst severity that may be breached all the same. */
  readonly worstPossible?: Severity;
}

/** What was measured, whatever follows from it. */
export type Measurement = Pick<Verdict, 'value' | 'threshold' | 'samples' | 'windows'>;

export function breached(measurement: Measurement, severity: Severity): Verdict {
  return verdictOf(measurement, 'breached', severity, undefined);
}

export function notBreached(measurement: Measurement, state: 'between' | 'healthy' = 'healthy'): Verdict {
  return verdictOf(measurement, state, undefined, undefined);
}

export function cannotTell(measurement: Measurement, doubt: Doubt): Verdict {
  return verdictOf(measurement, 'cannot_tell', undefined, doubt);
}

/** Field by field: a copy of all that there is takes ten times as long, and there is one for every alert in every round. */
function verdictOf(
  { value, threshold, samples, windows }: Measurement,
  state: Verdict['state'],
  severity: Severity | undefined,
  doubt: Doubt | undefined,
): Verdict {
  if (windows === undefined) return { state, severity, doubt, value, threshold, samples };
  return { state, severity, doubt, value, threshold, samples, windows };
}
