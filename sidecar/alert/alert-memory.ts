// Alerts as plain data for the disk, and back. Only those are kept that a new process could not make out itself: of runs that have
// begun or ended lately, and with firings that count for flapping. Whoever was inactive or unknown begins anew.
// An alert is kept with its rule as it was. A restart takes the rule as it is now, where there still is one of that name and kind
// that covers the scope; else the alert keeps the old one, and the first round ends it, so that its end is told.
import { z } from 'zod';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import type { Rule } from '../config/rule';
import { ruleFor } from '../rule/rule-for';
import type { Verdict } from '../rule/verdict';
import type { Scope } from '../window/scope';
import { ALERT_STATES, isActive, type Alert } from './alert';
import { maybe, storedRule } from './stored-rule';

/** Whether a new process could not make it out itself. */
export function isWorthKeeping({ sinceMs, firings }: Alert): boolean {
  return sinceMs !== undefined || firings.length > 0;
}

/** Plain data of one alert. What is `undefined` may be left out or become null. */
export function encodeAlert(alert: Alert): unknown {
  return { ...alert, rule: { ...alert.rule, overrides: [] } };
}

/** Of those that are worth keeping, one by one. */
export function encodeAlerts(alerts: Iterable<Alert>): unknown[] {
  return [...alerts].filter(isWorthKeeping).map(encodeAlert);
}

/**
 * What `encodeAlert` gave; `undefined` where it is not as it was written.
 * @param rules of the configuration as it is now
 */
export function decodeAlert(value: unknown, rules: readonly Rule[]): Alert | undefined {
  const { data: alert } = storedAlert.safeParse(value);
  if (!alert || !isWhole(alert)) return undefined;
  const present = rules.find(({ name }) => name === alert.rule.name);
  const held = present && ruleFor(present, alert.scope);
  return held?.kind === alert.rule.kind ? { ...alert, rule: held } : alert;
}

const ms = z.number();
const label = z.string();

const storedScope = z.discriminatedUnion('level', [
  z.object({ level: z.literal('gateway') }),
  z.object({ level: z.literal('service'), service: label }),
  z.object({ level: z.literal('operation'), service: label, operation: label }),
  z.object({ level: z.literal('error_type'), service: label, errorType: label }),
  z.object({ level: z.literal('instance'), instance: label }),
  z.object({ level: z.literal('target'), instance: label, upstream: label, target: label }),
]) satisfies z.ZodType<Scope>;

const storedVerdict = z.object({
  state: z.enum(['breached', 'between', 'healthy', 'cannot_tell']),
  severity: maybe(z.enum(SEVERITIES)),
  doubt: maybe(z.enum(['no_requests', 'too_few_requests', 'gap', 'kong_unreachable'])),
  value: maybe(z.number()),
  threshold: z.number(),
  samples: z.number(),
  windows: z.object({ longMs: ms, shortMs: ms }).exactOptional(),
  worstPossible: z.enum(SEVERITIES).exactOptional(),
}) satisfies z.ZodType<Verdict>;

const storedAlert = z.object({
  rule: storedRule,
  scope: storedScope,
  state: z.enum(ALERT_STATES),
  severity: z.enum(SEVERITIES),
  verdict: storedVerdict,
  sinceMs: maybe(ms),
  breachedSinceMs: z.partialRecord(z.enum(SEVERITIES), ms),
  firedMs: maybe(ms),
  healthySinceMs: maybe(ms),
  milderSinceMs: maybe(ms),
  unknownSinceMs: maybe(ms),
  resolvedMs: maybe(ms),
  acknowledgement: maybe(z.object({ by: z.string(), comment: z.string(), atMs: ms })),
  firings: z.array(ms),
  isFlapping: z.boolean(),
}) satisfies z.ZodType<Alert>;

/** Whether an alert has what its state says that it has. */
function isWhole(alert: Alert): boolean {
  const hasRun = !['inactive', 'unknown'].includes(alert.state);
  const hasFired = isActive(alert) || alert.state === 'resolved';
  return (
    hasRun === (alert.sinceMs !== undefined) &&
    hasFired === (alert.firedMs !== undefined) &&
    (alert.state === 'resolved') === (alert.resolvedMs !== undefined) &&
    (alert.state === 'resolved' || (alert.state === 'acknowledged') === (alert.acknowledgement !== undefined))
  );
}
