// The form of a rule as it is kept with an alert. It is only used where the configuration no longer has the rule, to tell what the
// alert was about when it ends; so whether its numbers make sense is not asked, and its overrides are not kept.
import { z } from 'zod';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { KONG_LEVELS, WINDOW_LEVELS, type Rule } from '../config/rule';

/** What may be left out, or be null where the store has no `undefined`. */
export function maybe<Shape extends z.ZodType>(shape: Shape) {
  return shape.nullish().transform((value) => value ?? undefined);
}

const severity = z.enum(SEVERITIES);

const base = {
  name: z.string(),
  each: z.enum([...WINDOW_LEVELS, ...KONG_LEVELS]),
  match: z.object({
    service: z.string().exactOptional(),
    operation: z.string().exactOptional(),
    errorType: z.string().exactOptional(),
  }),
  windowMs: z.number(),
  forMs: z.number(),
  keepFiringForMs: z.number(),
  runbookUrl: maybe(z.string()),
  overrides: z.tuple([]),
};

const gated = { confidence: maybe(z.number()), minimumRequests: z.number() };

const sampled = {
  ...base,
  ...gated,
  thresholds: z.array(z.object({ severity, value: z.number() })),
  resolveAt: z.number(),
};

const burnRateWindow = z.object({ severity, longMs: z.number(), shortMs: z.number(), factor: z.number() });

export const storedRule = z.discriminatedUnion('kind', [
  z.object({ ...sampled, kind: z.literal('latency'), quantile: z.number() }),
  z.object({ ...sampled, kind: z.literal('error_rate') }),
  z.object({ ...sampled, kind: z.literal('apdex'), targetMs: z.number() }),
  z.object({ ...sampled, kind: z.literal('traffic_drop'), baselineMs: z.number() }),
  z.object({
    ...base,
    kind: z.literal('traffic_absence'),
    severity,
    baselineMs: z.number(),
    minimumRequests: z.number(),
  }),
  z.object({
    ...base,
    ...gated,
    kind: z.literal('burn_rate'),
    objective: z.number(),
    latencyMs: maybe(z.number()),
    windows: z.array(burnRateWindow),
  }),
  z.object({ ...base, kind: z.literal('kong_unreachable'), severity }),
  z.object({ ...base, kind: z.literal('target_unhealthy'), severity }),
  z.object({ ...sampled, kind: z.literal('observed_ratio') }),
]) satisfies z.ZodType<Rule>;
