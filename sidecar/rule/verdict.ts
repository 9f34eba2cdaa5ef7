// What a rule says of one window.

export interface Verdict {
  readonly state: 'breached' | 'healthy' | 'too_few_requests';
  /** In the rule's own unit: ms, a share or a score. `undefined` where the window holds nothing to judge. */
  readonly value: number | undefined;
  readonly threshold: number;
  /** How many requests the value rests on. */
  readonly samples: number;
}
