// The templates that come with Gatewatch, which stand beside this file, as sources and as built. A copy of one is where a user's own
// begins.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const SHIPPED_TEMPLATES = ['teams', 'discord'] as const;

export type ShippedTemplate = (typeof SHIPPED_TEMPLATES)[number];

const texts = new Map<ShippedTemplate, string>();

/** @throws Error of Node, with a code, where the installation lacks the file */
export function shippedTemplate(name: ShippedTemplate): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(join(__dirname, 'templates', `${name}.liquid`), 'utf8');
    texts.set(name, text);
  }
  return text;
}
