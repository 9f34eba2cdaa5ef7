// The keys that may stand in one place of gatewatch.yml, found in its form.
import { z } from 'zod';
import type { Path } from './document-places';
import { isMap } from './placed-fault';

/**
 * Follows a path through a shape; where there are several forms, the value tells which is meant.
 *
 * @param value what stands in the document, as a whole
 * @returns the keys of what `path` leads to; none where that takes none
 */
export function knownKeys(shape: z.ZodType, path: Path, value: unknown): string[] {
  const object = objectIn(shape, value);
  const [step, ...rest] = path;
  if (step === undefined) return Object.keys(object?.shape ?? {});
  const inner = valueOf(value, step);
  if (typeof step === 'number') {
    const list = unwrap(shape);
    return list instanceof z.ZodArray ? knownKeys(list.element as z.ZodType, rest, inner) : [];
  }
  const next = object?.shape[step] as z.ZodType | undefined;
  return next === undefined ? [] : knownKeys(next, rest, inner);
}

function valueOf(value: unknown, step: string | number): unknown {
  if (Array.isArray(value)) return value[Number(step)];
  return isMap(value) ? value[step] : undefined;
}

function unwrap(shape: z.ZodType): z.ZodType {
  if (
    shape instanceof z.ZodOptional ||
    shape instanceof z.ZodDefault ||
    shape instanceof z.ZodPrefault ||
    shape instanceof z.ZodNullable
  ) {
    return unwrap(shape.unwrap() as z.ZodType);
  }
  return shape instanceof z.ZodPipe ? unwrap(shape.in as z.ZodType) : shape;
}

function objectIn(shape: z.ZodType, value: unknown): z.ZodObject | undefined {
  const plain = unwrap(shape);
  if (plain instanceof z.ZodObject) return plain;
  if (!(plain instanceof z.ZodUnion)) return undefined;
  const objects = plain.options.flatMap((option) => objectIn(option as z.ZodType, value) ?? []);
  const type = isMap(value) ? value['type'] : undefined;
  return objects.length > 1
    ? objects.find(({ shape: keys }) => (keys['type'] as z.ZodType | undefined)?.safeParse(type).success)
    : objects[0];
}
