// What `before_send` does with an error event, judged on its observation before anything of it is built.
import type { Observation } from '../../observation';
import type { BeforeSendRule, FingerprintTemplate, Level } from '../settings/sentry-settings';

/** What an event gets in place of its own. */
export interface Rewrite {
  readonly level: Level | undefined;
  readonly fingerprint: FingerprintTemplate | undefined;
  /** Beside the event's own; of the same name, in place of it. */
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * All rules that match, in their order: one that drops wins over every other, and of two that rewrite the same the later one.
 *
 * @returns `undefined` where nothing is changed
 */
export function judge(
  rules: readonly BeforeSendRule[],
  observation: Observation,
): 'dropped' | Rewrite | undefined {
  let rewrite: Rewrite | undefined;
  for (const rule of rules) {
    if (!matches(rule, observation)) continue;
    if (rule.isDropped) return 'dropped';
    rewrite = {
      level: rule.level ?? rewrite?.level,
      fingerprint: rule.fingerprint ?? rewrite?.fingerprint,
      tags: { ...rewrite?.tags, ...rule.tags },
    };
  }
  return rewrite;
}

function matches({ when }: BeforeSendRule, observation: Observation): boolean {
  return (
    holds(when.service, observation.service) &&
    holds(when.operation, observation.operation) &&
    holds(when.errorType, observation.errorType) &&
    holds(when.status, observation.status) &&
    holds(when.source, observation.source) &&
    holds(when.severity, observation.severity)
  );
}

function holds(wanted: unknown, found: unknown): boolean {
  return wanted === undefined || wanted === found;
}
