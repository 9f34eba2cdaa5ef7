// Why alerts that fire are not told of now: for routing, for the API and for the status page.
import { matchesAll } from '../config/matcher';
import type { NotificationPolicy } from '../config/notification-policy';
import { inhibitedAlerts, type Firing } from './inhibition';
import { openWindows } from './maintenance';
import { isInForce, type Silence } from './silence';

/** At least one of them. */
export interface MuteReasons {
  /** Ids of silences. */
  readonly silences: readonly string[];
  /** Names of maintenance windows. */
  readonly maintenance: readonly string[];
  /** Key of an alert that hides it (see `alertKey`). */
  readonly inhibitedBy: string | undefined;
  /** It waits for the next digest, or for the end of the quiet hours. */
  readonly isGathered?: boolean;
}

/**
 * @param alerts all that fire or are acknowledged
 * @param timeMs Unix ms, by the clock that people have
 * @returns by the alert's key; only of those that are not told
 */
export function muteReasons(
  policy: Pick<NotificationPolicy, 'maintenance' | 'inhibitions'>,
  silences: readonly Silence[],
  alerts: readonly Firing[],
  timeMs: number,
): ReadonlyMap<string, MuteReasons> {
  const reasons = new Map<string, MuteReasons>();
  if (alerts.length === 0) return reasons;
  const inForce = silences.filter((silence) => isInForce(silence, timeMs));
  const open = openWindows(policy.maintenance, timeMs);
  const inhibited = inhibitedAlerts(policy.inhibitions, alerts);
  for (const { key, labels } of alerts) {
    const silenced = inForce.filter(({ matchers }) => matchesAll(matchers, labels)).map(({ id }) => id);
    const maintained = open.filter(({ matchers }) => matchesAll(matchers, labels)).map(({ name }) => name);
    const inhibitedBy = inhibited.get(key);
    if (silenced.length > 0 || maintained.length > 0 || inhibitedBy !== undefined)
      reasons.set(key, { silences: silenced, maintenance: maintained, inhibitedBy });
  }
  return reasons;
}
