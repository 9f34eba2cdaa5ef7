// The windows of a multi-window, multi-burn-rate alert that the SRE Workbook recommends, as it says them: a share of the error
// budget of 30 days that is spent in a long window. B. Beyer and others, "The Site Reliability Workbook" (2018), chapter 5
// "Alerting on SLOs", table 5-8 (https://sre.google/workbook/alerting-on-slos/). A page is critical here, a ticket a warning.
// The short window is a twelfth of the long one, so that an alert ends soon after the burning does.
import type { Severity } from '../../kong-plugin/contract/severity';
import { roundValue } from './round-value';
import type { BurnRateWindow } from './rule';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Over how long the budget is to last. */
const BUDGET_PERIOD_MS = 30 * DAY_MS;

/** How many times faster than sustainable a budget burns of which `budgetShare` (0 to 1) is spent in `longMs`. */
export function burnRateFactor(budgetShare: number, longMs: number): number {
  return roundValue((budgetShare * BUDGET_PERIOD_MS) / longMs);
}

interface TableRow {
  readonly severity: Severity;
  readonly budgetShare: number;
  readonly longMs: number;
  readonly shortMs: number;
}

const TABLE_5_8: readonly TableRow[] = [
  { severity: 'critical', budgetShare: 0.02, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS },
  { severity: 'critical', budgetShare: 0.05, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS },
  { severity: 'warning', budgetShare: 0.1, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS },
];

/** 14.4, 6 and 1; the most severe first. */
export const SRE_BURN_RATE_WINDOWS: readonly BurnRateWindow[] = TABLE_5_8.map(
  ({ severity, budgetShare, longMs, shortMs }) => ({
    severity,
    longMs,
    shortMs,
    factor: burnRateFactor(budgetShare, longMs),
  }),
);
