// In: the requests of a long and a short window for each row of a rule. Out: whether the error budget burns too fast in both.
// Burn rate = share of bad requests x covered share of the window / what the objective allows. Time that is not known counts as
// free of errors, so a short history never makes a burn look worse than it is; where the lost share is too much for that, what is
// not breached is not known to be healthy. With the gate on Wilson's lower bound of the share must burn too fast.
import type { BurnRateRule, BurnRateWindow } from '../config/rule';
import type { ScopeView } from '../window/scope-view';
import { hasGap } from './known-enough';
import { roundValue } from '../config/round-value';
import type { Doubt, Verdict } from './verdict';
import { LEAST_BAD_REQUESTS } from './weigh-thresholds';
import { wilsonLowerBound } from './wilson';

/** The value is that of the window in which the budget burns more slowly: over the factor where both are. */
export function judgeBurnRate(rule: BurnRateRule, view: ScopeView): Verdict {
  const rows = rule.windows.map((row) => burnOf(rule, row, view));
  const breached = rows.find(({ isBreached }) => isBreached);
  if (breached) return verdictOn(breached, { state: 'breached', severity: breached.row.severity });
  const mildest = rows.at(-1);
  if (!mildest) throw new Error(`rule ${rule.name} has no windows`);
  const cannotTell = (burn: Burn, doubt: Doubt): Verdict =>
    verdictOn(burn, { state: 'cannot_tell', doubt, value: burn.requests === 0 ? undefined : burn.rate });
  const bounds = rule.latencyMs === undefined ? [] : [rule.latencyMs];
  const unknown = rows.find(
    ({ row }) => hasGap(view, row.longMs, bounds) || hasGap(view, row.shortMs, bounds),
  );
  if (unknown) return cannotTell(unknown, 'gap');
  if (mildest.requests === 0) return cannotTell(mildest, 'no_requests');
  const unsure = rows.find(({ row, rate }) => rate > row.factor);
  if (unsure) return cannotTell(unsure, 'too_few_requests');
  if (mildest.requests < rule.minimumRequests) return cannotTell(mildest, 'too_few_requests');
  return verdictOn(mildest, { state: 'healthy' });
}

/** How fast the budget burns in both windows of a row. */
interface Burn {
  readonly row: BurnRateWindow;
  /** In the long window. */
  readonly requests: number;
  readonly rate: number;
  readonly isBreached: boolean;
}

function burnOf(rule: BurnRateRule, row: BurnRateWindow, view: ScopeView): Burn {
  const long = budgetUseIn(row.longMs, rule, view);
  const short = budgetUseIn(row.shortMs, rule, view);
  const rate = Math.min(long.rate, short.rate);
  const isBreached =
    rate > row.factor &&
    long.requests >= rule.minimumRequests &&
    (rule.confidence === undefined ||
      (isSure(long, row.factor, rule.confidence) && isSure(short, row.factor, rule.confidence)));
  return { row, requests: long.requests, rate, isBreached };
}

interface BudgetUse {
  readonly bad: number;
  readonly requests: number;
  /** What a share of bad requests is to be multiplied with. */
  readonly ratePerShare: number;
  readonly rate: number;
}

function budgetUseIn(windowMs: number, { objective, latencyMs }: BurnRateRule, view: ScopeView): BudgetUse {
  const counts = view.counts(windowMs);
  const { requests } = counts;
  const slow = latencyMs === undefined ? 0 : counts.samples - counts.atMost(latencyMs);
  const bad = counts.errors + slow;
  const ratePerShare = view.coverage(windowMs, 0, latencyMs).covered / roundValue(1 - objective);
  return {
    bad,
    requests,
    ratePerShare,
    rate: requests === 0 ? 0 : roundValue((bad / requests) * ratePerShare),
  };
}

function isSure({ bad, requests, ratePerShare }: BudgetUse, factor: number, confidence: number): boolean {
  return bad >= LEAST_BAD_REQUESTS && wilsonLowerBound(bad, requests, confidence) * ratePerShare > factor;
}

function verdictOn({ row, rate, requests }: Burn, said: Partial<Verdict> & Pick<Verdict, 'state'>): Verdict {
  return {
    severity: undefined,
    doubt: undefined,
    value: rate,
    threshold: row.factor,
    samples: requests,
    windows: { longMs: row.longMs, shortMs: row.shortMs },
    ...said,
  };
}
