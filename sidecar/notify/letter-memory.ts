// Letters as plain data for the disk, and back.
import { z } from 'zod';
import type { Rule } from '../config/rule';
import type { Letter } from './letter';
import { decodeNotification, encodeNotification } from './notification-memory';

export function encodeLetter(letter: Letter): unknown {
  return letter.kind === 'change' ? letter : encodeNotification(letter);
}

/** `undefined` for what is not as it was written. @param rules of the configuration as it is now */
export function decodeLetter(value: unknown, rules: readonly Rule[]): Letter | undefined {
  const { data } = changeShape.safeParse(value);
  return data ? { ...data, before: data.before ?? undefined } : decodeNotification(value, rules);
}

const text = z.string();

const changeShape = z.object({
  id: text,
  channel: text,
  kind: z.literal('change'),
  instance: text,
  before: text.nullish(),
  after: text,
  externalLabels: z.record(text, text),
  atMs: z.number(),
  createdMs: z.number(),
});
