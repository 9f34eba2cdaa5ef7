// The forms of what the API is asked with: queries and bodies. A message is what was expected, as in the configuration; the field and
// what was found are added by read-request.ts.
import { z } from 'zod';
import { SEVERITIES } from '../../../kong-plugin/contract/severity';
import { ALERT_STATES } from '../../alert/alert';
import { parseDuration } from '../../config/duration';
import { wholeNumber } from '../../config/fields';
import { matcherFault, parseMatcher } from '../../config/matcher';
import { ALERT_LABELS, type Matcher } from '../../config/notification-policy';
import { ALERT_EVENT_KINDS } from '../../memory/alert-event';
import { LONGEST_COMMENT, LONGEST_NAME } from '../../route/silence-book';
import { ALERT_ID, SILENCE_STATES } from './answer-shapes';

function oneOf<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(', ')}` });
}

const MOMENT_ERROR = 'a moment such as 2026-03-01T10:00:00Z, with its offset from UTC';
/** Unix ms. */
const moment = z.iso
  .datetime({ offset: true, error: MOMENT_ERROR })
  .transform((written) => Date.parse(written));

const DURATION_ERROR = 'a duration such as 30m, 2h or 1d';
/** Whole ms. */
const duration = z.string({ error: DURATION_ERROR }).transform((written, context) => {
  const durationMs = parseDuration(written);
  if (durationMs !== undefined && durationMs > 0) return durationMs;
  context.addIssue({ code: 'custom', message: DURATION_ERROR });
  return z.NEVER;
});

const ID_ERROR = 'an id of 16 hexadecimal digits';

/** A name, or why something is done; neither empty nor only spaces. */
function said(what: string, longest: number) {
  const error = `${what}, in at most ${longest} characters`;
  return z.string({ error }).max(longest, { error }).regex(/\S/u, { error });
}

const who = said('who it is', LONGEST_NAME);

export const DEFAULT_ALERTS = 500;
export const MOST_ALERTS = 10_000;
const DEFAULT_EVENTS = 100;
const MOST_EVENTS = 1_000;

export const alertsQuery = z.strictObject({
  state: z
    .array(oneOf(['active', ...ALERT_STATES]))
    .describe('active: firing and acknowledged. Without any: all but inactive. Repeated, or with commas')
    .optional(),
  severity: z.array(oneOf(SEVERITIES)).describe('Repeated, or with commas').optional(),
  rule: z.array(z.string()).describe('Names of rules; repeated, or with commas').optional(),
  service: z.array(z.string()).describe('Repeated. Empty: of requests without a service').optional(),
  limit: wholeNumber(1, MOST_ALERTS).default(DEFAULT_ALERTS),
});

export const historyQuery = z.strictObject({
  alert: z.string().regex(ALERT_ID, { error: ID_ERROR }).describe("An alert's id").optional(),
  rule: z.string({ error: 'the name of a rule' }).optional(),
  kind: oneOf(ALERT_EVENT_KINDS).optional(),
  since: moment.describe('Inclusive').optional(),
  until: moment.describe('Exclusive').optional(),
  limit: wholeNumber(1, MOST_EVENTS).default(DEFAULT_EVENTS),
  before: wholeNumber(1, Number.MAX_SAFE_INTEGER).describe('The `next` of the page before').optional(),
});

export const silencesQuery = z.strictObject({
  state: z.array(oneOf(SILENCE_STATES)).describe('Without any: pending and active').optional(),
});

export const expireQuery = z.strictObject({ by: who.describe('Who ends it') });

export const discardQuery = z.strictObject({ by: who.describe('Who discards it') });

export const noQuery = z.strictObject({});

const BODY_ERROR = 'a JSON object';

export const acknowledgeBody = z.strictObject(
  {
    by: who,
    comment: z
      .string({ error: `a text of at most ${LONGEST_COMMENT} characters` })
      .max(LONGEST_COMMENT, { error: `a text of at most ${LONGEST_COMMENT} characters` })
      .default(''),
  },
  { error: BODY_ERROR },
);

const MATCHER_ERROR = 'a matcher such as service="checkout" or severity=~"info|warning"';

const writtenMatcher = z.string({ error: MATCHER_ERROR }).transform((written, context): Matcher => {
  const parsed = parseMatcher(written);
  if ('label' in parsed) return parsed;
  context.addIssue({ code: 'custom', message: parsed.expected });
  return z.NEVER;
});

const plainMatcher = z
  .strictObject(
    {
      label: oneOf(ALERT_LABELS),
      operator: oneOf(['=', '!=', '=~', '!~']),
      value: z.string({ error: 'a text' }),
    },
    { error: MATCHER_ERROR },
  )
  .superRefine((matcher, context) => {
    const fault = matcherFault(matcher);
    if (fault) context.addIssue({ code: 'custom', path: ['value'], message: fault.expected });
  });

const MATCHERS_ERROR = 'a list of matchers, at least one';

export const silenceBody = z.strictObject(
  {
    matchers: z
      .array(z.union([writtenMatcher, plainMatcher]), { error: MATCHERS_ERROR })
      .min(1, { error: MATCHERS_ERROR })
      .describe('As text, service="checkout", or in parts; all of them must match'),
    starts_at: moment.describe('Left out, or over: now').optional(),
    ends_at: moment.describe('Exclusive; within a year').optional(),
    duration: duration
      .describe('In place of ends_at: how long from the start, such as 2h or 1h30m')
      .optional(),
    created_by: said('who silences', LONGEST_NAME),
    comment: said('why', LONGEST_COMMENT),
  },
  { error: BODY_ERROR },
);

/** By the name that the API's document gives them. */
export const BODY_SHAPES = { AcknowledgeRequest: acknowledgeBody, SilenceRequest: silenceBody } as const;

export type BodyName = keyof typeof BODY_SHAPES;

/** Over it a body is refused, unread. */
export const MAX_API_BODY_BYTES = 64 * 1024;
