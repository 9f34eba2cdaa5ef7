// What makes events one issue in Sentry. A template is a list of texts and placeholders, `[payments, '{status}']`; an event has
// the same list with its own values in their places.
import { UNMATCHED } from '../../contract/unmatched';
import type { Observation } from '../../observation';
import {
  EVENT_FIELDS,
  type EventField,
  type FingerprintPart,
  type FingerprintTemplate,
} from '../settings/sentry-settings';

export const STANDARD_FINGERPRINT = ['{service}', '{operation}', '{error_type}'] as const;

export const MAX_FINGERPRINT_PARTS = 10;

export const FINGERPRINT_PART_ERROR = `expected a text without braces or one of ${EVENT_FIELDS.map((field) => `{${field}}`).join(', ')}`;

const OF_OBSERVATION: Readonly<Record<EventField, (observation: Observation) => string>> = {
  service: ({ service }) => service,
  operation: ({ operation }) => (operation === '' ? UNMATCHED : operation),
  error_type: ({ errorType }) => errorType,
  status: ({ status }) => String(status),
  source: ({ source }) => source,
  severity: ({ severity }) => severity,
};

/**
 * @param place how messages name the list, such as `sentry.fingerprint`
 * @throws Error naming the place and the placeholders that there are
 */
export function readFingerprint(list: unknown, place: string): FingerprintTemplate {
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_FINGERPRINT_PARTS) {
    throw new Error(
      `gatewatch: ${place}: expected 1 to ${MAX_FINGERPRINT_PARTS} texts, found ${JSON.stringify(list)}`,
    );
  }
  return list.map((text: unknown, index) => readPart(text, `${place}[${index}]`));
}

/** One text for each part of the template, in its order. */
export function renderFingerprint(template: FingerprintTemplate, observation: Observation): string[] {
  return template.map((part) => (typeof part === 'string' ? part : OF_OBSERVATION[part.field](observation)));
}

function readPart(text: unknown, place: string): FingerprintPart {
  const field = EVENT_FIELDS.find((known) => `{${known}}` === text);
  if (field !== undefined) return { field };
  if (typeof text === 'string' && /^[^{}]+$/.test(text)) return text;
  throw new Error(`gatewatch: ${place}: ${FINGERPRINT_PART_ERROR}, found ${JSON.stringify(text)}`);
}
