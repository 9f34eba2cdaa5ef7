// What a channel is given: one change of one alert.
import type { Rule } from '../config/config';
import type { Verdict } from '../rule/verdict';

export interface Notification {
  /** The same for an alert's firing and resolved, and for every try to deliver either. */
  readonly alertKey: string;
  readonly status: 'firing' | 'resolved';
  readonly rule: Rule;
  readonly service: string;
  /** Of the round that made the change. */
  readonly verdict: Verdict;
  /** Unix ms. */
  readonly startedMs: number;
  /** Unix ms; only where resolved. */
  readonly resolvedMs: number | undefined;
  /** Resolved only because the configuration no longer has the rule; `verdict` is then the last one before. */
  readonly ruleRemoved: boolean;
}
