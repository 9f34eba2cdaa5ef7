// In: a rule and what happened to one service in the rule's window. Out: the rule's word on it.
// A value at the threshold is healthy: latency and error rate breach over it, Apdex under it.
// Every kind counts its requests its own way (see `Tally`), so a window can be enough for one and too little for another.
import { countAtMost, quantileMs } from '../../kong-plugin/contract/histogram';
import type { ApdexRule, Rule } from '../config/config';
import type { Tally } from '../window/tally';
import type { Verdict } from './verdict';

const P95 = 0.95;

/** Judges one window. The value is given even where there are too few requests to act on it. */
export function judge(rule: Rule, tally: Tally): Verdict {
  const { value, threshold, samples, isBreach } = measure(rule, tally);
  if (value === undefined || samples < rule.minimumRequests)
    return { state: 'too_few_requests', value, threshold, samples };
  return { state: isBreach(value) ? 'breached' : 'healthy', value, threshold, samples };
}

interface Measure {
  value: number | undefined;
  threshold: number;
  samples: number;
  isBreach: (value: number) => boolean;
}

function measure(rule: Rule, tally: Tally): Measure {
  switch (rule.kind) {
    case 'p95_latency': {
      const threshold = rule.p95LatencyMs;
      const value = quantileMs(tally.latency, P95);
      return { value, threshold, samples: tally.latency.count, isBreach: (ms) => ms > threshold };
    }
    case 'error_rate': {
      const threshold = rule.errorRateThreshold;
      const value = tally.requests === 0 ? undefined : tally.errors / tally.requests;
      return { value, threshold, samples: tally.requests, isBreach: (share) => share > threshold };
    }
    case 'apdex': {
      const threshold = rule.apdexThreshold;
      const samples = tally.apdex.count + tally.errors;
      const value = apdexScore(rule, tally, samples);
      return { value, threshold, samples, isBreach: (score) => score < threshold };
    }
  }
}

/** (satisfied + tolerated / 2) / samples: satisfied up to T, tolerated up to 4T, an error never (Apdex 1.1). */
function apdexScore(rule: ApdexRule, tally: Tally, samples: number): number | undefined {
  if (samples === 0) return undefined;
  const satisfied = countAtMost(tally.apdex, rule.apdexTargetMs);
  const tolerated = countAtMost(tally.apdex, 4 * rule.apdexTargetMs) - satisfied;
  return (satisfied + tolerated / 2) / samples;
}
