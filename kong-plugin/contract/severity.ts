// How bad one request was. The same four words stand in the batch, in metrics, in alerts and in Sentry.

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;

export type Severity = (typeof SEVERITIES)[number];

/** From 0; the worse, the higher. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** Error and critical count against a service; info and warning do not. */
export function countsAsError(severity: Severity): boolean {
  return severity === 'error' || severity === 'critical';
}
