// What makes an alert the same alert over time: its rule's name and its scope. Thresholds and severity may change.
import { createHash } from 'node:crypto';
import { scopeKey, type Scope } from '../window/scope';

/** One text for one alert. JSON, because a scope may hold any character. */
export function alertKey(ruleName: string, scope: Scope): string {
  return JSON.stringify([ruleName, scopeKey(scope)]);
}

/** How people, metrics and receivers name an alert: 16 hexadecimal digits, the same for an alert for ever. */
export function alertId(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}
