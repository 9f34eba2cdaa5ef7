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
}
