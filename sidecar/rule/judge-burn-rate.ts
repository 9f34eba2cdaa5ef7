// In: the requests of a long and a short window for each row of a rule. Out: whether the error budget burns too fast in both.
// Burn rate = share of bad requests x covered share of the window / what the objective allows. Time that is not known counts as
// free of errors, so a short history never makes a burn look worse than it is. With the gate on Wilson's lower bound of the share must
// burn too fast.
// A row needs both of its windows to be breached, so one that is known and does not burn too fast is enough to know that it is not:
// what was lost two days ago holds no alert once the last hours are known. Only a row that may be breached makes the rule unsure.
import { severityRank, type Severity } from '../../kong-plugin/contract/severity';
import { roundValue } from '../config/round-value';
import type { BurnRateRule, BurnRateWindow } from '../config/rule';
import type { ScopeView } from '../window/scope-view';
import { hasGap } from './known-enough';
import { breached, cannotTell, notBreached, type Doubt, type Measurement, type Verdict } from './verdict';
import { areEnough } from './weigh-thresholds';
import { wilsonLowerBound } from './wilson';

/** The value is that of the window in which the budget burns more slowly: over the factor where both are. */
export function judgeBurnRate(rule: BurnRateRule, view: ScopeView): Verdict {
  const rows = rule.windows.map((row) => burnOf(rule, row, view));
  const mildest = rows.at(-1);
  if (!mildest) throw new Error(`rule ${rule.name} has no windows`);
  const first = (...standings: Standing[]): Burn | undefined =>
    rows.find(({ standing }) => standings.includes(standing));
  const lost = first('lost');
  const burning = first('breached');
  if (burning) return withWorst(breached(measurementOf(burning), burning.row.severity), lost?.row.severity);
  const inDoubt = (burn: Burn, doubt: Doubt): Verdict => {
    const { value, ...measurement } = measurementOf(burn);
    const verdict = cannotTell({ ...measurement, value: burn.requests === 0 ? undefined : value }, doubt);
    return withWorst(verdict, first('lost', 'unsure')?.row.severity);
  };
  if (lost) return inDoubt(lost, 'gap');
  if (mildest.requests === 0) return inDoubt(mildest, 'no_requests');
  const unsure = first('unsure');
  if (unsure) return inDoubt(unsure, 'too_few_requests');
  if (mildest.requests < rule.minimumRequests) return inDoubt(mildest, 'too_few_requests');
  return notBreached(measurementOf(mildest));
}

/**
 * `lost`: too much is lost to know that it is not breached. `unsure`: over the factor, by too few requests to be sure.
 */
type Standing = 'breached' | 'fine' | 'lost' | 'unsure';

/** How fast the budget burns in both windows of a row. */
interface Burn {
  readonly row: BurnRateWindow;
  /** In the long window. */
  readonly requests: number;
  readonly rate: number;
  readonly standing: Standing;
}

function burnOf(rule: BurnRateRule, row: BurnRateWindow, view: ScopeView): Burn {
  const uses = [budgetUseIn(row.longMs, rule, view), budgetUseIn(row.shortMs, rule, view)] as const;
  const [long, short] = uses;
  return {
    row,
    requests: long.requests,
    rate: Math.min(long.rate, short.rate),
    standing: standingOf(rule, row, uses, view),
  };
}

function standingOf(
  { minimumRequests, confidence, latencyMs }: BurnRateRule,
  { factor }: BurnRateWindow,
  uses: readonly [long: BudgetUse, short: BudgetUse],
  view: ScopeView,
): Standing {
  const [long] = uses;
  const isOver = (use: BudgetUse): boolean =>
    use.rate > factor && (confidence === undefined || isSure(use, factor, confidence));
  if (long.requests >= minimumRequests && uses.every(isOver)) return 'breached';
  const bounds = latencyMs === undefined ? [] : [latencyMs];
  const isLost = ({ windowMs }: BudgetUse): boolean => hasGap(view, windowMs, bounds);
  if (uses.some((use) => use.rate <= factor && !isLost(use))) return 'fine';
  return uses.some(isLost) ? 'lost' : 'unsure';
}

interface BudgetUse {
  readonly windowMs: number;
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
    windowMs,
    bad,
    requests,
    ratePerShare,
    rate: requests === 0 ? 0 : roundValue((bad / requests) * ratePerShare),
  };
}

function isSure({ bad, requests, ratePerShare }: BudgetUse, factor: number, confidence: number): boolean {
  return areEnough(bad) && wilsonLowerBound(bad, requests, confidence) * ratePerShare > factor;
}

function measurementOf({ row, rate, requests }: Burn): Measurement {
  const { factor, longMs, shortMs } = row;
  return { value: rate, threshold: factor, samples: requests, windows: { longMs, shortMs } };
}

/** @param possible of the worst row that cannot tell: it says nothing where that is no worse than what is breached */
function withWorst(verdict: Verdict, possible: Severity | undefined): Verdict {
  const { severity } = verdict;
  if (possible === undefined) return verdict;
  if (severity !== undefined && severityRank(possible) <= severityRank(severity)) return verdict;
  return { ...verdict, worstPossible: possible };
}
