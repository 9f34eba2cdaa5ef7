// Alerts as a round of the rules gives them, and a policy under which everybody is told at once.
import { SEVERITIES, type Severity } from '../../kong-plugin/contract/severity';
import type { Alert } from '../../sidecar/alert/alert';
import type { NotificationPolicy } from '../../sidecar/config/notification-policy';
import { errorRateRule } from './sample-rules';

export const ALERT_START_MS = Date.parse('2026-03-02T10:00:00Z');

/** A critical error rate of the service `shop` that has fired since the start, unless `changes` say otherwise. */
export function firingAlert(changes: Partial<Alert> = {}): Alert {
  const { sinceMs = ALERT_START_MS, severity = 'critical' } = changes;
  return {
    rule: errorRateRule(),
    scope: { level: 'service', service: 'shop' },
    state: 'firing',
    severity,
    verdict: { state: 'breached', severity, doubt: undefined, value: 0.123, threshold: 0.01, samples: 1_000 },
    sinceMs,
    breachedSinceMs: { [severity]: sinceMs },
    firedMs: sinceMs,
    healthySinceMs: undefined,
    milderSinceMs: undefined,
    unknownSinceMs: undefined,
    resolvedMs: undefined,
    acknowledgement: undefined,
    firings: [sinceMs],
    isFlapping: false,
    ...changes,
  };
}

export function acknowledgedAlert(alert: Alert, by: string, atMs: number): Alert {
  return { ...alert, state: 'acknowledged', acknowledgement: { by, comment: '', atMs } };
}

/** Its acknowledgement ends. */
export function worsenedAlert(alert: Alert, severity: Severity): Alert {
  return { ...alert, state: 'firing', severity, acknowledgement: undefined };
}

/** Its acknowledgement stays. */
export function easedAlert(alert: Alert, severity: Severity): Alert {
  return { ...alert, severity };
}

export function resolvedAlert(alert: Alert, atMs: number): Alert {
  const { severity, verdict } = alert;
  return {
    ...alert,
    state: 'resolved',
    verdict: { ...verdict, state: 'healthy', severity: undefined, value: 0.001, threshold: 0.01 },
    severity,
    resolvedMs: atMs,
  };
}

/** The channel `slack` is told of everything, one message for each service, at once. */
export function samplePolicy(changes: Partial<NotificationPolicy> = {}): NotificationPolicy {
  return {
    groupBy: ['service'],
    groupWaitMs: 0,
    groupIntervalMs: 0,
    repeatIntervalMs: undefined,
    repeatFactor: 2,
    mostRepeatsPerDay: 4,
    escalation: [{ afterMs: 0, channels: ['slack'], severities: SEVERITIES }],
    inhibitions: [],
    maintenance: [],
    quietHours: undefined,
    digest: undefined,
    ...changes,
  };
}
