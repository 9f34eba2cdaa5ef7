// The values that keys of gatewatch.yml take, each with what is expected in words.
import { z } from 'zod';
import { EXACT_BELOW_MS, isCell } from '../../kong-plugin/contract/histogram';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { formatDuration, parseDuration } from './duration';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Whole ms from a text such as 30s or 5m, or from a plain 0. */
export function duration(leastMs: number, mostMs: number) {
  const error = `a duration from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}, such as 30s or 5m`;
  return z.union([z.string(), z.literal(0)], { error }).transform((text, context) => {
    const durationMs = text === 0 || text === '0' ? 0 : parseDuration(text);
    if (durationMs !== undefined && durationMs >= leastMs && durationMs <= mostMs) return durationMs;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

export function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** A time that buckets are cut at; each must be a cell of the histogram, so that what is under it can be counted exactly. */
export function boundMs(mostMs: number, what: string, isExact: (ms: number) => boolean) {
  const error = `a whole number of ms from 1 to ${mostMs}`;
  return z
    .int({ error })
    .min(1, { error })
    .max(mostMs, { error })
    .superRefine((ms, context) => {
      if (!Number.isInteger(ms) || ms < 1 || ms > mostMs || isExact(ms)) return;
      const message =
        `${what} at most three significant digits above ${EXACT_BELOW_MS}, to which times are kept; ` +
        `the nearest is ${nearest(ms, isExact)}`;
      context.addIssue({ code: 'custom', message });
    });
}

/** The limits are exact themselves, so this ends. */
function nearest(ms: number, isExact: (ms: number) => boolean): number {
  let distanceMs = 1;
  while (!isExact(ms - distanceMs) && !isExact(ms + distanceMs)) distanceMs++;
  return isExact(ms - distanceMs) ? ms - distanceMs : ms + distanceMs;
}

/** One hour, in cells of the histogram. */
const MAX_BOUND_MS = HOUR_MS;

export const latencyMs = boundMs(MAX_BOUND_MS, 'a number of ms with', isCell);

/** Four times it is a bound as well. */
export const apdexTargetMs = boundMs(
  MAX_BOUND_MS / 4,
  'a number of ms that has, and whose fourfold has,',
  (ms) => isCell(ms) && isCell(4 * ms),
);

/** A number within bounds, in words of its own. */
export function numberWithin(error: string, isWithin: (value: number) => boolean) {
  return z.number({ error }).refine(isWithin, { error });
}

export const NAME_ERROR = 'a name of letters, digits, _ and -, at most 64';
export const name = z.string({ error: NAME_ERROR }).regex(/^[A-Za-z0-9_-]{1,64}$/, { error: NAME_ERROR });

export const PATH_ERROR = 'a path (~ is not filled in, ${HOME} is)';
export const path = z.string({ error: PATH_ERROR }).regex(/^[^~\0][^\0]*$/, { error: PATH_ERROR });

export const URL_ERROR = 'an http or https address';
export const url = z.string({ error: URL_ERROR }).refine(isHttpUrl, { error: URL_ERROR });

export const PLAIN_URL_ERROR = 'an http or https address without a name and a password';
/** One that is shown. */
export const plainUrl = z
  .string({ error: PLAIN_URL_ERROR })
  .refine(isWithoutLogin, { error: PLAIN_URL_ERROR });

function isWithoutLogin(text: string): boolean {
  return isHttpUrl(text) && new URL(text).username === '' && new URL(text).password === '';
}

function isHttpUrl(text: string): boolean {
  // The parser drops line breaks and tabs without a word.
  if (!/^[!-~]+$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && isDecodable(username) && isDecodable(password);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export const severity = z.enum(SEVERITIES, { error: `one of ${SEVERITIES.join(', ')}` });

export const YES_OR_NO_ERROR = 'true or false';

/** A key that may be left empty, as from an unset variable; it is then as if it were not there. */
export function orEmpty(shape: z.ZodType<string>, error: string) {
  return z.union([z.literal(''), shape], { error }).nullish();
}

export const TOKEN_ERROR = 'a token of 16 to 512 printable characters without spaces';
export const token = z.string({ error: TOKEN_ERROR }).regex(/^[!-~]{16,512}$/, { error: TOKEN_ERROR });

export const SLUG_ERROR = 'a name of lowercase letters, digits, _ and -, at most 50';
export const slug = z.string({ error: SLUG_ERROR }).regex(/^[a-z0-9_-]{1,50}$/, { error: SLUG_ERROR });
