// In: what the watch of Kong knows. Out: the word of a rule about Kong itself: one instance, one target of an upstream, or
// whether as many requests were counted as Kong served.
import type { KongUnreachableRule, ObservedRatioRule, Rule, TargetUnhealthyRule } from '../config/rule';
import type { InstanceFacts, KongFacts } from '../kong/kong-facts';
import type { Scope } from '../window/scope';
import { normalQuantile } from './normal-quantile';
import { breached, cannotTell, notBreached, type Verdict } from './verdict';
import { weighThresholds } from './weigh-thresholds';

/** Rules that are judged by what Kong says. */
export type KongRule = KongUnreachableRule | TargetUnhealthyRule | ObservedRatioRule;

export function isKongRule(rule: Rule): rule is KongRule {
  return (
    rule.kind === 'kong_unreachable' || rule.kind === 'target_unhealthy' || rule.kind === 'observed_ratio'
  );
}

/** Whether the Kong that a scope is about is still one of those that are watched; other scopes are not about one of them. */
export function isOfWatchedKong(scope: Scope, facts: KongFacts): boolean {
  const isOfOne = scope.level === 'instance' || scope.level === 'target';
  return !isOfOne || instanceOf(scope, facts) !== undefined;
}

export function judgeKong(rule: KongRule, scope: Scope, facts: KongFacts): Verdict {
  switch (rule.kind) {
    case 'kong_unreachable':
      return verdictOn(rule, isUnreachable(scope, facts));
    case 'target_unhealthy':
      return verdictOn(rule, isUnhealthy(scope, facts));
    case 'observed_ratio':
      return judgeObservedRatio(rule, facts);
  }
}

/** The value is 1 where it is bad, else 0. @param isBad `undefined` where Kong has not said */
function verdictOn(rule: KongUnreachableRule | TargetUnhealthyRule, isBad: boolean | undefined): Verdict {
  const measurement = { threshold: 0, samples: 0 };
  if (isBad === undefined) return cannotTell({ ...measurement, value: undefined }, 'kong_unreachable');
  if (!isBad) return notBreached({ ...measurement, value: 0 });
  return breached({ ...measurement, value: 1 }, rule.severity);
}

function instanceOf(scope: Scope, { instances }: KongFacts): InstanceFacts | undefined {
  if (scope.level !== 'instance' && scope.level !== 'target') return undefined;
  return instances.find(({ instance }) => instance === scope.instance);
}

/** Of the gateway: whether no Kong answers. */
function isUnreachable(scope: Scope, facts: KongFacts): boolean | undefined {
  const reachable =
    scope.level === 'gateway'
      ? facts.instances.map(({ isReachable }) => isReachable)
      : [instanceOf(scope, facts)?.isReachable];
  if (reachable.includes(true)) return false;
  return reachable.length === 0 || reachable.includes(undefined) ? undefined : true;
}

/** A target that Kong no longer has among others is not unhealthy any more; where it tells of none it may not tell at all. */
function isUnhealthy(scope: Scope, facts: KongFacts): boolean | undefined {
  const instance = instanceOf(scope, facts);
  if (scope.level !== 'target' || !instance?.isReachable || instance.targets.length === 0) return undefined;
  const target = instance.targets.find(
    ({ upstream, target: name }) => upstream === scope.upstream && name === scope.target,
  );
  if (!target) return false;
  return target.unhealthyAddresses.length > 0 && target.healthyAddresses.length === 0;
}

/** Kong's counter and ours are read up to about a second apart, at the beginning of the window and at its end. */
const READ_APART_S = 2;

/**
 * With the gate on, what is missing must be more than the reading explains. At a steady rate the requests of the seconds that
 * only one counter has seen cancel out but for chance: the difference of two Poisson counts, each of the rate x `READ_APART_S`.
 */
function judgeObservedRatio(rule: ObservedRatioRule, facts: KongFacts): Verdict {
  const observed = facts.observed(rule.windowMs);
  if (!observed) {
    const threshold = rule.thresholds[0]?.value ?? 0;
    return cannotTell({ value: undefined, threshold, samples: 0 }, 'kong_unreachable');
  }
  const { counted, served } = observed;
  const missing = served - counted;
  const spread = Math.sqrt(2 * (served / (rule.windowMs / 1_000)) * READ_APART_S);
  return weighThresholds(rule, {
    value: served === 0 ? undefined : Math.min(1, counted / served),
    samples: served,
    side: 'under',
    hasGap: false,
    bad: () => missing,
    isSure: (threshold, confidence) =>
      missing - normalQuantile(confidence) * spread > (1 - threshold) * served,
  });
}
