// In: the requests of a window and of the time before it, the baseline. Out: whether traffic was lost.
// Both must be known nearly whole, for what was not seen would look like a loss: the time before the first start counts too.
// What little is not known is left out of the times that are compared, which are those that requests are really counted of.
import type { TrafficAbsenceRule, TrafficDropRule } from '../config/rule';
import type { ScopeView } from '../window/scope-view';
import { isCovered } from './known-enough';
import { roundValue } from '../config/round-value';
import { breached, cannotTell, notBreached, type Verdict } from './verdict';
import { weighThresholds } from './weigh-thresholds';
import { wilsonUpperBound } from './wilson';

/**
 * The value is the lost share: 1 - rate in the window / rate in the baseline, 0 where nothing was lost.
 * With the gate on: of all requests of both, the window's share is binomial whatever the rate was (the conditional test of two
 * Poisson rates: J. Przyborowski and H. Wilenski, Biometrika 31 (1940) 313). Its upper bound must be under the share that
 * the window would have after a loss of just the threshold.
 */
export function judgeTrafficDrop(rule: TrafficDropRule, view: ScopeView): Verdict {
  const { now, before } = trafficOf(rule, view);
  const requests = now.requests + before.requests;
  return weighThresholds(rule, {
    value: lostShare(now, before),
    samples: requests,
    side: 'over',
    hasGap: !isCovered(now.covered) || !isCovered(before.covered),
    isSure: (threshold, confidence) => {
      const leftMs = (1 - threshold) * now.coveredMs;
      return wilsonUpperBound(now.requests, requests, confidence) < leftMs / (leftMs + before.coveredMs);
    },
  });
}

/** The value is 1 where nothing came, else 0. */
export function judgeTrafficAbsence(rule: TrafficAbsenceRule, view: ScopeView): Verdict {
  const { now, before } = trafficOf(rule, view);
  const measurement = { value: undefined, threshold: 0, samples: now.requests + before.requests };
  if (now.requests > 0) return notBreached({ ...measurement, value: 0 });
  if (!isCovered(now.covered) || !isCovered(before.covered)) return cannotTell(measurement, 'gap');
  if (before.requests >= rule.minimumRequests) return breached({ ...measurement, value: 1 }, rule.severity);
  return cannotTell(measurement, before.requests === 0 ? 'no_requests' : 'too_few_requests');
}

interface Traffic {
  readonly requests: number;
  readonly covered: number;
  readonly coveredMs: number;
}

function trafficOf(
  { windowMs, baselineMs }: { readonly windowMs: number; readonly baselineMs: number },
  view: ScopeView,
): { now: Traffic; before: Traffic } {
  return { now: trafficIn(view, windowMs, 0), before: trafficIn(view, baselineMs, windowMs) };
}

function trafficIn(view: ScopeView, windowMs: number, agoMs: number): Traffic {
  const { ms, covered } = view.counted(windowMs, agoMs);
  return { requests: view.counts(windowMs, agoMs).requests, covered, coveredMs: covered * ms };
}

/** Of times of which nothing is known, though some of what happened then was delivered, there is no rate. */
function lostShare(now: Traffic, before: Traffic): number | undefined {
  if (now.coveredMs === 0 || before.coveredMs === 0) return undefined;
  if (before.requests === 0) return now.requests === 0 ? undefined : 0;
  const expected = (before.requests * now.coveredMs) / before.coveredMs;
  return Math.max(0, roundValue((expected - now.requests) / expected));
}
