// From an alert to what the API tells of it. Times are those that people have.
import { alertId, alertKey } from '../../alert/alert-key';
import type { Alert } from '../../alert/alert';
import type { LinkSettings } from '../../config/notification-policy';
import { titleOf, valuesOf } from '../../notify/describe-alert';
import { wordsOf } from '../../notify/describe-subject';
import { linksOf } from '../../notify/notification-of-message';
import type { MuteReasons } from '../../route/mute-reasons';
import type { Evidence } from '../../window/evidence';
import { labelsOf } from '../../window/scope';
import type { AlertDocument, EvidenceDocument } from './answer-shapes';
import { timeText } from './time-text';

export interface AlertSurroundings {
  /** By the alert's key. */
  readonly muteReasons: ReadonlyMap<string, MuteReasons>;
  readonly links: LinkSettings;
  readonly nowMs: number;
}

export function idOf({ rule, scope }: Pick<Alert, 'rule' | 'scope'>): string {
  return alertId(alertKey(rule.name, scope));
}

export function alertDocument(alert: Alert, { muteReasons, links, nowMs }: AlertSurroundings): AlertDocument {
  const { rule, scope, verdict, acknowledgement } = alert;
  const key = alertKey(rule.name, scope);
  const hasNumbers = wordsOf(alert).measure !== undefined;
  const { value, threshold } = valuesOf(alert);
  const muted = muteReasons.get(key);
  return {
    id: alertId(key),
    title: titleOf(alert),
    rule: rule.name,
    kind: rule.kind,
    level: scope.level,
    labels: { ...labelsOf(scope) },
    state: alert.state,
    severity: alert.severity,
    value: verdict.value ?? null,
    value_text: verdict.value === undefined ? null : value,
    threshold: hasNumbers ? verdict.threshold : null,
    threshold_text: hasNumbers ? threshold : null,
    samples: verdict.samples,
    doubt: verdict.doubt ?? null,
    since: timeText(alert.sinceMs),
    fired_at: timeText(alert.firedMs),
    resolved_at: timeText(alert.resolvedMs),
    acknowledged: acknowledgement
      ? { by: acknowledgement.by, comment: acknowledgement.comment, at: timeText(acknowledgement.atMs) }
      : null,
    flapping: alert.isFlapping,
    muted: muted
      ? {
          silences: [...muted.silences],
          maintenance: [...muted.maintenance],
          inhibited_by: muted.inhibitedBy === undefined ? null : alertId(muted.inhibitedBy),
          waits_for_digest: muted.isGathered ?? false,
        }
      : null,
    links: linksOf(alert, links, alert.resolvedMs ?? nowMs),
  };
}

export function evidenceDocument(evidence: Evidence | undefined): EvidenceDocument | null {
  if (evidence === undefined) return null;
  const { operations, errorTypes, addresses } = evidence;
  return {
    operations: operations.map(({ service, operation, requests, errors, p95Ms }) => ({
      service,
      operation,
      requests,
      errors,
      p95_ms: p95Ms ?? null,
    })),
    error_types: errorTypes.map(({ errorType, requests, errors }) => ({
      error_type: errorType,
      requests,
      errors,
    })),
    addresses: addresses.map(({ address, failures }) => ({ address, failures })),
  };
}
