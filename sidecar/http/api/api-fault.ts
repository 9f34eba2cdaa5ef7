// What the API refuses, with the status it answers. What was expected and found is told for each field.
import type { FieldFault } from './answer-shapes';

export class ApiFault extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly faults?: readonly FieldFault[],
  ) {
    super(message);
  }

  /** @param status 400 where the query is at fault, 422 where the body is */
  static of(status: 400 | 422, faults: readonly FieldFault[]): ApiFault {
    return new ApiFault(status, faults.map(renderFieldFault).join('; '), faults);
  }
}

/** `comment: expected why, in at most 1000 characters, found ""` */
export function renderFieldFault({ field, expected, found }: FieldFault): string {
  return `${field === '' ? '' : `${field}: `}expected ${expected}, found ${found}`;
}
