// From the query or the body of a request to values, or to everything that is wrong with it, field by field.
import type { Request } from 'express';
import { z } from 'zod';
import { SHOWABLE_KEY, renderPath, valueAt, type Path } from '../../config/document-places';
import { knownKeys } from '../../config/known-keys';
import { nearestWord } from '../../config/nearest-word';
import { isMap } from '../../config/placed-fault';
import { ApiFault } from './api-fault';
import type { FieldFault } from './answer-shapes';

/** Of a value that is told back to who sent it. */
const LONGEST_FOUND = 100;

export type Shape = z.ZodObject;

/**
 * A list may be given as one text with commas, but for `service`, whose names may have some.
 * @throws ApiFault, 400
 */
export function readQuery<Query extends Shape>(shape: Query, query: Request['query']): z.output<Query> {
  const document = Object.fromEntries(
    Object.entries(query).map(([name, given]) => [name, plainValue(shape, name, given)]),
  );
  const parsed = shape.safeParse(document);
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error, shape, document);
  // A parameter is told of as a whole, whichever of its values is wrong.
  throw ApiFault.of(
    400,
    faults.map((fault) => ({ ...fault, field: fault.field.replace(/\[.*$/, '') })),
  );
}

/** @throws ApiFault, 422 */
export function readBody<Body extends Shape>(shape: Body, document: unknown): z.output<Body> {
  const parsed = shape.safeParse(document);
  if (parsed.success) return parsed.data;
  throw ApiFault.of(422, faultsOf(parsed.error, shape, document));
}

/** @throws ApiFault: 415 for another type than JSON, 400 for what is none */
export function parseBody(request: Request): unknown {
  const type = request.get('content-type') ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type))
    throw new ApiFault(415, `expected the header "Content-Type: application/json", found ${showFound(type)}`);
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const why = error instanceof SyntaxError ? ` (${error.message})` : '';
    throw new ApiFault(400, `expected JSON, found ${bytes.length} bytes that are none${why}`);
  }
}

export function faultsOf(error: z.ZodError, shape: Shape, document: unknown): FieldFault[] {
  return error.issues.flatMap((issue) => findingsOf(issue, shape, document));
}

export function showFound(found: unknown): string {
  if (found === undefined || found === null || found === '') return found === '' ? '""' : 'nothing';
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object') return 'keys and values';
  const text = JSON.stringify(found);
  return text.length > LONGEST_FOUND ? `${text.slice(0, LONGEST_FOUND - 3)}...` : text;
}

function findingsOf(issue: z.core.$ZodIssue, shape: Shape, document: unknown): FieldFault[] {
  const path: Path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'invalid_union' && issue.message === UNNAMED) {
    // A plain value or keys: what is there tells which of the two is meant.
    const branch = isMap(valueAt(document, path)) ? issue.errors.at(-1) : issue.errors[0];
    return (branch ?? []).flatMap((inner) =>
      findingsOf({ ...inner, path: [...issue.path, ...inner.path] }, shape, document),
    );
  }
  if (issue.code !== 'unrecognized_keys')
    return [{ field: renderPath(path), expected: issue.message, found: showFound(valueAt(document, path)) }];
  const known = knownKeys(shape, path, document);
  const expected = known.length === 0 ? 'no parameters' : `one of ${known.join(', ')}`;
  return issue.keys.map((key) => {
    const meant = nearestWord(key, known);
    const found = SHOWABLE_KEY.test(key) ? key : 'another name';
    return {
      field: renderPath([...path, key]),
      expected,
      found: meant === undefined ? found : `${found} (did you mean ${meant}?)`,
    };
  });
}

/** zod's message for a union that was given none. */
const UNNAMED = 'Invalid input';

/** As JSON would have it: texts of the query to lists and numbers, where the form has such. */
function plainValue(shape: Shape, name: string, given: unknown): unknown {
  const form = Object.hasOwn(shape.shape, name) ? innermost(shape.shape[name] as z.ZodType) : undefined;
  if (form instanceof z.ZodArray) {
    const texts = Array.isArray(given) ? given.map(String) : [String(given)];
    return name === 'service' ? texts : texts.flatMap((text) => text.split(','));
  }
  if (form instanceof z.ZodNumber && typeof given === 'string' && /^\d{1,16}$/.test(given))
    return Number(given);
  return given;
}

function innermost(form: z.ZodType): z.ZodType {
  return form instanceof z.ZodOptional || form instanceof z.ZodDefault
    ? innermost(form.unwrap() as z.ZodType)
    : form;
}
