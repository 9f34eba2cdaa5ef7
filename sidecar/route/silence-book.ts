// The silences there are: made, ended early, listed, forgotten. Each function gives the silences after it; none changes them.
// All moments are Unix ms by the clock that people have.
import { z } from 'zod';
import { isSelective, matcherFault } from '../config/matcher';
import { ALERT_LABELS, type Matchers } from '../config/notification-policy';
import { isInForce, type Silence } from './silence';

const DAY_MS = 86_400_000;

/** Of those that have not ended; with more of them nobody knows what is silent. */
export const MOST_SILENCES = 1_000;
/** Of those that have; the first that ended go first. */
const MOST_ENDED = 1_000;
/** As long as Alertmanager keeps them. */
const KEPT_AFTER_END_MS = 5 * DAY_MS;
const LONGEST_SILENCE_MS = 366 * DAY_MS;
const MOST_MATCHERS = 20;
export const LONGEST_NAME = 200;
export const LONGEST_COMMENT = 1_000;

export interface SilenceRequest {
  readonly matchers: Matchers;
  /** `undefined`: now. A moment that is over is now. */
  readonly startsMs: number | undefined;
  readonly endsMs: number;
  readonly createdBy: string;
  readonly comment: string;
}

export interface SilenceFault {
  readonly field: keyof SilenceRequest;
  readonly expected: string;
}

export type SilenceAnswer =
  | { readonly silences: readonly Silence[]; readonly silence: Silence }
  | { readonly faults: readonly SilenceFault[] };

export type SilenceStatus = 'pending' | 'active' | 'expired';

/** @param id 16 random hexadecimal digits */
export function createSilence(
  silences: readonly Silence[],
  request: SilenceRequest,
  id: string,
  nowMs: number,
): SilenceAnswer {
  const faults = faultsOf(silences, request, nowMs);
  if (faults.length > 0) return { faults };
  const silence: Silence = {
    id,
    matchers: request.matchers,
    startsMs: Math.max(request.startsMs ?? nowMs, nowMs),
    endsMs: request.endsMs,
    createdBy: request.createdBy.trim(),
    comment: request.comment.trim(),
    createdMs: nowMs,
  };
  return { silences: [...silences, silence], silence };
}

function faultsOf(silences: readonly Silence[], request: SilenceRequest, nowMs: number): SilenceFault[] {
  const { matchers, startsMs = nowMs, endsMs, createdBy, comment } = request;
  const faults: SilenceFault[] = [];
  const expect = (holds: boolean, field: keyof SilenceRequest, expected: string): void => {
    if (!holds) faults.push({ field, expected });
  };
  const faulty = matchers.flatMap((matcher) => matcherFault(matcher) ?? [])[0];
  if (faulty) expect(false, 'matchers', faulty.expected);
  else if (matchers.length > MOST_MATCHERS) expect(false, 'matchers', `at most ${MOST_MATCHERS} matchers`);
  else expect(matchers.some(isSelective), 'matchers', 'at least one that does not match everything');
  expect(Number.isSafeInteger(startsMs), 'startsMs', 'a moment');
  expect(endsMs > Math.max(startsMs, nowMs), 'endsMs', 'a moment that is still to come, and after the start');
  expect(endsMs <= nowMs + LONGEST_SILENCE_MS, 'endsMs', 'a moment within a year');
  expect(isText(createdBy, LONGEST_NAME), 'createdBy', `who silences, in at most ${LONGEST_NAME} characters`);
  expect(isText(comment, LONGEST_COMMENT), 'comment', `why, in at most ${LONGEST_COMMENT} characters`);
  const open = silences.filter((silence) => statusOf(silence, nowMs) !== 'expired').length;
  expect(open < MOST_SILENCES, 'matchers', `at most ${MOST_SILENCES} silences that have not ended`);
  return faults;
}

function isText(text: string, longest: number): boolean {
  return text.trim() !== '' && text.length <= longest;
}

/** Ends one now; one that has not begun never begins. `undefined` where there is none of this id, or it has ended. */
export function expireSilence(
  silences: readonly Silence[],
  id: string,
  nowMs: number,
): readonly Silence[] | undefined {
  const old = silences.find((silence) => silence.id === id);
  if (!old || statusOf(old, nowMs) === 'expired') return undefined;
  const ended = { ...old, startsMs: Math.min(old.startsMs, nowMs), endsMs: nowMs };
  return silences.map((silence) => (silence === old ? ended : silence));
}

export function statusOf(silence: Silence, nowMs: number): SilenceStatus {
  if (nowMs >= silence.endsMs) return 'expired';
  return isInForce(silence, nowMs) ? 'active' : 'pending';
}

/** The same array where none was forgotten. */
export function forgetSilences(silences: readonly Silence[], nowMs: number): readonly Silence[] {
  const ended = silences.filter(({ endsMs }) => endsMs <= nowMs).sort((a, b) => b.endsMs - a.endsMs);
  const kept = new Set(ended.filter(({ endsMs }) => endsMs > nowMs - KEPT_AFTER_END_MS).slice(0, MOST_ENDED));
  if (kept.size === ended.length) return silences;
  return silences.filter((silence) => silence.endsMs > nowMs || kept.has(silence));
}

const moment = z.int();

const silenceShape = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  matchers: z
    .array(
      z
        .object({ label: z.enum(ALERT_LABELS), operator: z.enum(['=', '!=', '=~', '!~']), value: z.string() })
        .refine((matcher) => matcherFault(matcher) === undefined),
    )
    .min(1),
  startsMs: moment,
  endsMs: moment,
  createdBy: z.string().min(1),
  comment: z.string().min(1),
  createdMs: moment,
});

/** One silence from plain data, which is what `Silence` is itself. `undefined` where it is none. */
export function readSilence(plain: unknown): Silence | undefined {
  return silenceShape.safeParse(plain).data;
}
