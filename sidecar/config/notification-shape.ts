// The form of `notifications`, `links` and `kong` in gatewatch.yml. What holds where a key is left out is in default-config.ts.
import { z } from 'zod';
import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  URL_ERROR,
  duration,
  name,
  numberWithin,
  severity,
  url,
  wholeNumber,
} from './fields';
import { isSelective, parseMatcher } from './matcher';
import { ALERT_LABELS, WEEKDAYS, type Matcher } from './notification-policy';
import { linkTemplate } from './link-template-shape';

const label = z.enum(ALERT_LABELS, { error: `one of ${ALERT_LABELS.join(', ')}` });

const MATCHER_ERROR = 'a matcher such as service="checkout" or severity=~"info|warning"';
const matcher = z.string({ error: MATCHER_ERROR }).transform((text, context): Matcher => {
  const parsed = parseMatcher(text);
  if ('label' in parsed) return parsed;
  context.addIssue({ code: 'custom', message: parsed.expected });
  return z.NEVER;
});

function matchers(leastCount: number) {
  const error = leastCount > 0 ? 'a list of matchers, at least one' : 'a list of matchers';
  return z.array(matcher, { error }).min(leastCount, { error });
}

const SEVERITIES_ERROR = 'a list of severities, at least one';
const severities = z.array(severity, { error: SEVERITIES_ERROR }).min(1, { error: SEVERITIES_ERROR });

const TIME_ERROR = 'a time of day in quotes, such as "22:30"';
const timeOfDay = z.string({ error: TIME_ERROR }).transform((text, context) => {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match) return Number(match[1]) * 60 + Number(match[2]);
  context.addIssue({ code: 'custom', message: TIME_ERROR });
  return z.NEVER;
});

const ZONE_ERROR = 'a time zone of the IANA list, such as Europe/Berlin or UTC';
const timeZone = z.string({ error: ZONE_ERROR }).refine(isTimeZone, { error: ZONE_ERROR });

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    // An offset such as +01:00 has no summer time, and is most likely meant as a zone that has.
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

const DAYS_ERROR = `a list of days, of ${WEEKDAYS.join(', ')}`;
const days = z
  .array(z.enum(WEEKDAYS, { error: DAYS_ERROR }), { error: DAYS_ERROR })
  .min(1, { error: DAYS_ERROR })
  .default([...WEEKDAYS]);

const times = { days, from: timeOfDay, to: timeOfDay, time_zone: timeZone.default('UTC') };

const UNTIL_ERROR = 'the last day on which it begins, such as 2027-03-31';
const until = z.string({ error: UNTIL_ERROR }).refine(isDay, { error: UNTIL_ERROR });

/** A day that the month does not have would be one of the next. */
function isDay(text: string): boolean {
  const startsMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(startsMs) && new Date(startsMs).toISOString().startsWith(text);
}

const COMMENT_ERROR = 'why, in a few words';
const comment = z
  .string({ error: COMMENT_ERROR })
  .trim()
  .min(1, { error: COMMENT_ERROR })
  .max(500, { error: COMMENT_ERROR });

const escalationStep = z.strictObject(
  {
    after: duration(0, 7 * DAY_MS).default(0),
    channels: z
      .array(name, { error: 'a list of names of channels' })
      .min(1, { error: 'at least one channel' }),
    severities: severities.optional(),
  },
  { error: 'after, channels and severities' },
);

const inhibition = z.strictObject(
  {
    source: matchers(1),
    target: matchers(1),
    equal: z.array(label, { error: 'a list of labels' }).default([]),
  },
  { error: 'source, target and equal' },
);

const SELECTIVE_ERROR = 'at least one matcher that does not match everything';
const selective = matchers(0).refine((all) => all.some(isSelective), { error: SELECTIVE_ERROR });

const maintenance = z.strictObject(
  { name, matchers: selective, ...times, until, comment },
  { error: 'name, matchers, days, from, to, time_zone, until and comment' },
);

const MILD_ERROR = 'a list of mild severities: info, warning or both';
/** Whatever is worse does not wait. */
const mildSeverities = z
  .array(z.enum(['info', 'warning'], { error: MILD_ERROR }), { error: MILD_ERROR })
  .min(1, { error: MILD_ERROR });

const quietHours = z.strictObject(
  { severities: mildSeverities, ...times },
  { error: 'severities, days, from, to and time_zone' },
);

const digest = z.strictObject(
  { severities: mildSeverities, every: duration(MINUTE_MS, 7 * DAY_MS) },
  { error: 'severities and every' },
);

export const notificationsShape = z.strictObject(
  {
    group_by: z.array(label, { error: 'a list of labels' }).optional(),
    group_wait: duration(0, HOUR_MS).optional(),
    group_interval: duration(0, DAY_MS).optional(),
    repeat_interval: duration(0, 30 * DAY_MS).optional(),
    repeat_factor: numberWithin('a number from 1 to 10', (factor) => factor >= 1 && factor <= 10).optional(),
    max_repeats_per_day: wholeNumber(0, 1_000).optional(),
    escalation: z
      .array(escalationStep, { error: 'a list of steps' })
      .min(1, { error: 'at least one step' })
      .optional(),
    inhibit: z.array(inhibition, { error: 'a list of inhibitions' }).optional(),
    maintenance: z.array(maintenance, { error: 'a list of maintenance windows' }).default([]),
    quiet_hours: quietHours.optional(),
    digest: digest.optional(),
  },
  { error: 'keys and values, such as `group_wait: 10s`' },
);

export type NotificationsDocument = z.infer<typeof notificationsShape>;

const template = linkTemplate.nullish();

export const linksShape = z.strictObject(
  {
    external_url: url.or(z.literal('', { error: URL_ERROR })).nullish(),
    dashboard_url: template,
    prometheus_url: url.or(z.literal('', { error: URL_ERROR })).nullish(),
    sentry_url: template,
    runbook_url: template,
  },
  { error: 'keys and values, such as `dashboard_url: https://...`' },
);

export type LinksDocument = z.infer<typeof linksShape>;

const STATUS_URLS_ERROR =
  'a list of http addresses, or one, such as http://127.0.0.1:8101, without a user or a password';
const statusUrl = url.refine(
  (text) => {
    // `url` has said what is wrong with it, which does not keep this from being asked.
    if (!URL.canParse(text)) return true;
    const { username, password } = new URL(text);
    return username === '' && password === '';
  },
  { error: STATUS_URLS_ERROR },
);

export const kongShape = z.strictObject(
  {
    /** One text with commas where it comes from a variable. */
    status_urls: z
      .union([z.string(), z.array(statusUrl)], { error: STATUS_URLS_ERROR })
      .transform((given, context) => {
        const urls = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : given;
        const filled = urls.filter((part) => part !== '');
        if (filled.every((part) => statusUrl.safeParse(part).success)) return filled;
        context.addIssue({ code: 'custom', message: STATUS_URLS_ERROR });
        return z.NEVER;
      })
      .optional(),
    interval: duration(SECOND_MS, 5 * MINUTE_MS).optional(),
    timeout: duration(SECOND_MS, MINUTE_MS).optional(),
  },
  { error: 'keys and values, such as `status_urls: http://127.0.0.1:8101`' },
);

export type KongDocument = z.infer<typeof kongShape>;
