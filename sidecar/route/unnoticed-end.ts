// How an alert ended that no longer fires, or fires anew, without anybody having said so.
import { endAlert } from '../alert/advance-alert';
import type { Alert } from '../alert/alert';
import type { End } from './route-state';

/** @param alert as it fired */
export function unnoticedEnd(alert: Alert, nowMs: number): End {
  return { alert: endAlert(alert, 'forgotten', nowMs).alert, endReason: 'forgotten', atMs: nowMs };
}
