// From the body of POST /api/v1/silences to what is asked for, or to everything that is wrong with it at once: the form of each field,
// and what only shows when all are known.
import type { z } from 'zod';
import { renderMatcher } from '../../config/matcher';
import { isMap } from '../../config/placed-fault';
import type { Silence } from '../../route/silence';
import { createSilence, type SilenceFault, type SilenceRequest } from '../../route/silence-book';
import { ApiFault } from './api-fault';
import type { FieldFault } from './answer-shapes';
import { faultsOf, showFound } from './read-request';
import { silenceBody } from './request-shapes';

type Field = keyof z.output<typeof silenceBody>;

/**
 * @param silences those there are: a further one may be one too many
 * @param nowMs Unix ms
 * @throws ApiFault, 422
 */
export function readSilenceRequest(
  document: unknown,
  silences: readonly Silence[],
  nowMs: number,
): SilenceRequest {
  const parsed = silenceBody.safeParse(document);
  const faults = parsed.success ? [] : faultsOf(parsed.error, silenceBody, document);
  if (!isMap(document)) throw ApiFault.of(422, faults);
  faults.push(...endFaults(document));
  const request = requestOf(document, nowMs);
  // Nothing comes of it: it is asked what is wrong with the fields that have the right form.
  const trial = createSilence(silences, request, '', nowMs);
  if ('faults' in trial) {
    const faulty = new Set(faults.map(({ field }) => field.replace(/\W.*$/, '')));
    faults.push(...fieldFaults(trial.faults, document).filter(({ field }) => !faulty.has(field)));
  }
  if (faults.length > 0) throw ApiFault.of(422, faults);
  return request;
}

/** The faults of a silence by the names that the fields have in a body. */
export function fieldFaults(faults: readonly SilenceFault[], document: unknown): FieldFault[] {
  const given = isMap(document) ? document : {};
  const names: Readonly<Record<SilenceFault['field'], Field>> = {
    matchers: 'matchers',
    startsMs: 'starts_at',
    endsMs: given.duration === undefined ? 'ends_at' : 'duration',
    createdBy: 'created_by',
    comment: 'comment',
  };
  return faults.map(({ field, expected }) => {
    const name = names[field];
    const found = name === 'matchers' ? showMatchers(given.matchers) : showFound(given[name]);
    return { field: name, expected, found };
  });
}

function showMatchers(given: unknown): string {
  const matchers = silenceBody.shape.matchers.safeParse(given).data;
  return matchers === undefined ? showFound(given) : showFound(matchers.map(renderMatcher).join(' '));
}

function endFaults({ ends_at: endsAt, duration }: Readonly<Record<string, unknown>>): FieldFault[] {
  if ((endsAt === undefined) !== (duration === undefined)) return [];
  const found = endsAt === undefined ? 'neither' : 'both';
  return [{ field: 'ends_at', expected: 'either ends_at or duration', found }];
}

/** What has not the right form is something that is right. */
function requestOf(document: Readonly<Record<string, unknown>>, nowMs: number): SilenceRequest {
  const { matchers, starts_at, ends_at, duration, created_by, comment } = silenceBody.shape;
  const startsMs = starts_at.safeParse(document.starts_at).data;
  const durationMs = duration.safeParse(document.duration).data;
  const endsMs =
    durationMs === undefined
      ? ends_at.safeParse(document.ends_at).data
      : Math.max(startsMs ?? nowMs, nowMs) + durationMs;
  return {
    matchers: matchers.safeParse(document.matchers).data ?? RIGHT.matchers,
    startsMs,
    endsMs: endsMs ?? Math.max(startsMs ?? nowMs, nowMs) + 1,
    createdBy: created_by.safeParse(document.created_by).data ?? RIGHT.text,
    comment: comment.safeParse(document.comment).data ?? RIGHT.text,
  };
}

const RIGHT: { readonly matchers: SilenceRequest['matchers']; readonly text: string } = {
  matchers: [{ label: 'rule', operator: '=', value: 'any' }],
  text: 'any',
};
