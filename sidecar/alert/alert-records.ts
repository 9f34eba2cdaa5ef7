// The alerts as they stand in the memory. The verdict of a round is no reason to write an alert anew: the next process judges for
// itself.
import type { Rule } from '../config/rule';
import { DirtyMap } from '../memory/dirty-map';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import type { Alert } from './alert';
import { alertKey } from './alert-key';
import { decodeAlert, encodeAlert, isWorthKeeping } from './alert-memory';
import { isSameLife } from './same-life';

export class AlertRecords {
  readonly #records = new DirtyMap<unknown>(MEMORY_KEYS.alert);
  /** Key -> the alert as it was written last. */
  readonly #written = new Map<string, Alert>();

  /** Takes over all there are. */
  set(alerts: Iterable<Alert>): void {
    const kept = new Set<string>();
    for (const alert of alerts) {
      if (!isWorthKeeping(alert)) continue;
      const key = alertKey(alert.rule.name, alert.scope);
      kept.add(key);
      const written = this.#written.get(key);
      if (written && isSameLife(written, alert)) continue;
      this.#written.set(key, alert);
      this.#records.set(key, encodeAlert(alert));
    }
    for (const key of [...this.#records.keys()]) {
      if (kept.has(key)) continue;
      this.#written.delete(key);
      this.#records.delete(key);
    }
  }

  takeDirty(): MemoryChanges {
    return this.#records.takeDirty();
  }

  /** @param rules of the configuration as it is now */
  restore(
    entries: Iterable<readonly [key: string, value: unknown]>,
    rules: readonly Rule[],
  ): { readonly alerts: readonly Alert[]; readonly unreadable: number } {
    const alerts: Alert[] = [];
    let unreadable = 0;
    for (const [key, value] of entries) {
      const alert = decodeAlert(value, rules);
      if (alert) {
        alerts.push(alert);
        this.#records.restore(key, value);
      } else {
        unreadable += 1;
        this.#records.forget(key);
      }
    }
    return { alerts, unreadable };
  }
}
