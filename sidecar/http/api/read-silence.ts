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

type Fields = z.output<typeof silenceBody>;

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
  const faulty = new Set(faults.map(({ field }) => field.replace(/\W.*$/, '')));
  const request = requestOf(parsed.data ?? rightFields(document, faulty), nowMs);
  // Nothing comes of it: it is asked what is wrong with the fields that have the right form.
  const trial = createSilence(silences, request, '', nowMs);
  if ('faults' in trial)
    faults.push(...fieldFaults(trial.faults, document, request).filter(({ field }) => !faulty.has(field)));
  if (faults.length > 0) throw ApiFault.of(422, faults);
  return request;
}

/** The faults of a silence by the names that the fields have in a body. @param request what was read from it */
export function fieldFaults(
  faults: readonly SilenceFault[],
  document: unknown,
  { matchers }: Pick<SilenceRequest, 'matchers'>,
): FieldFault[] {
  const given = isMap(document) ? document : {};
  const names: Readonly<Record<SilenceFault['field'], keyof Fields>> = {
    matchers: 'matchers',
    startsMs: 'starts_at',
    endsMs: given.duration === undefined ? 'ends_at' : 'duration',
    createdBy: 'created_by',
    comment: 'comment',
  };
  return faults.map(({ field, expected }) => {
    const name = names[field];
    const found = name === 'matchers' ? matchers.map(renderMatcher).join(' ') : given[name];
    return { field: name, expected, found: showFound(found) };
  });
}

function endFaults({ ends_at: endsAt, duration }: Readonly<Record<string, unknown>>): FieldFault[] {
  if ((endsAt === undefined) !== (duration === undefined)) return [];
  const found = endsAt === undefined ? 'neither' : 'both';
  return [{ field: 'ends_at', expected: 'either ends_at or duration', found }];
}

/** Of a body that is faulty elsewhere. What is faulty is not read a second time. */
function rightFields(
  document: Readonly<Record<string, unknown>>,
  faulty: ReadonlySet<string>,
): Partial<Fields> {
  const right = Object.entries(silenceBody.shape).filter(([name]) => !faulty.has(name));
  return Object.fromEntries(right.map(([name, shape]) => [name, shape.safeParse(document[name]).data]));
}

/** What has not the right form is something that is right. */
function requestOf(fields: Partial<Fields>, nowMs: number): SilenceRequest {
  const { matchers, starts_at: startsMs, ends_at: givenEndsMs, duration: durationMs } = fields;
  const beginsMs = Math.max(startsMs ?? nowMs, nowMs);
  const endsMs = durationMs === undefined ? givenEndsMs : beginsMs + durationMs;
  return {
    matchers: matchers ?? RIGHT.matchers,
    startsMs,
    endsMs: endsMs ?? beginsMs + 1,
    createdBy: fields.created_by ?? RIGHT.text,
    comment: fields.comment ?? RIGHT.text,
  };
}

const RIGHT: { readonly matchers: SilenceRequest['matchers']; readonly text: string } = {
  matchers: [{ label: 'rule', operator: '=', value: 'any' }],
  text: 'any',
};
