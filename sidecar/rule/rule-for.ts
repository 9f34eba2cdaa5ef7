// Which rule holds for a scope: the rule itself, what an override gives in its place, or none.
import type { Rule } from '../config/rule';
import { matchesScope, type Scope } from '../window/scope';

/** The first override that matches holds. `undefined` where the rule does not cover the scope, or an override says not to. */
export function ruleFor(rule: Rule, scope: Scope): Rule | undefined {
  if (rule.each !== scope.level || !matchesScope(rule.match, scope)) return undefined;
  const override = rule.overrides.find(({ match }) => matchesScope(match, scope));
  return override ? override.rule : rule;
}
