// From where on a rule is breached, by severity.
import { SEVERITIES, type Severity } from '../../kong-plugin/contract/severity';
import type { BurnRateWindow, Rule, Threshold } from '../config/rule';

/** One for each severity that the rule has, the mildest first. Of a rule without numbers the value is 0. */
export function thresholdsOf(rule: Rule): readonly Threshold[] {
  if ('thresholds' in rule) return rule.thresholds;
  if ('windows' in rule) return leastFactors(rule.windows);
  return [{ severity: rule.severity, value: 0 }];
}

/** What a breach of the rule is at least. */
export function mildestSeverityOf(rule: Rule): Severity {
  return thresholdsOf(rule)[0]?.severity ?? 'info';
}

/** Rows of one severity differ in their windows: it is breached from the least of their factors on. */
function leastFactors(windows: readonly BurnRateWindow[]): Threshold[] {
  return SEVERITIES.flatMap((severity) => {
    const factors = windows.filter((row) => row.severity === severity).map(({ factor }) => factor);
    return factors.length === 0 ? [] : [{ severity, value: Math.min(...factors) }];
  });
}
