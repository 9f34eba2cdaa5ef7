// What makes events one issue in Sentry. A template is a list of texts with placeholders, `orders-{status}`; an event has the
// same list with its own values in them.
import type { Observation } from '../observation';
import {
  EVENT_FIELDS,
  type EventField,
  type FingerprintPart,
  type FingerprintTemplate,
} from './sentry-settings';

export const STANDARD_FINGERPRINT = ['{service}', '{operation}', '{error_type}'] as const;

export const MAX_FINGERPRINT_PARTS = 10;

const OF_OBSERVATION: Readonly<Record<EventField, (observation: Observation) => string>> = {
  service: ({ service }) => service,
  operation: ({ operation }) => operation,
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
  return template.map((part) =>
    part
      .map((piece) => (typeof piece === 'string' ? piece : OF_OBSERVATION[piece.field](observation)))
      .join(''),
  );
}

function readPart(text: unknown, place: string): FingerprintPart {
  if (typeof text !== 'string' || text === '') {
    throw new Error(`gatewatch: ${place}: expected a text, found ${JSON.stringify(text)}`);
  }
  return text.split(/(\{[^{}]*\})/).flatMap((piece): FingerprintPart => {
    if (piece === '') return [];
    const name = /^\{(.*)\}$/s.exec(piece)?.[1];
    const field = EVENT_FIELDS.find((known) => known === name);
    if (field !== undefined) return [{ field }];
    if (!/[{}]/.test(piece)) return [piece];
    const known = EVENT_FIELDS.map((one) => `{${one}}`).join(', ');
    throw new Error(
      `gatewatch: ${place}: expected no braces but those of ${known}, found ${JSON.stringify(text)}`,
    );
  });
}
