// Addresses with placeholders in braces: {service} becomes the name of the service, as it must stand in an address.

export const LINK_PLACEHOLDERS = ['rule', 'service', 'operation', 'error_type', 'from_ms', 'to_ms'] as const;

export type LinkPlaceholder = (typeof LINK_PLACEHOLDERS)[number];

export type LinkValues = Readonly<Record<LinkPlaceholder, string>>;

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** Whether a text is an http or https address with known placeholders only. */
export function isTemplate(text: string): boolean {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name]) => name);
  if (!names.every((name) => LINK_PLACEHOLDERS.some((known) => known === name))) return false;
  const filled = text.replace(PLACEHOLDER, 'x');
  return /^https?:\/\/[!-~]+$/.test(filled) && URL.canParse(filled);
}

/** Empty values stay empty: a dashboard then shows all. */
export function fillTemplate(template: string, values: LinkValues): string {
  return template.replace(PLACEHOLDER, (_whole, name: LinkPlaceholder) => encodeURIComponent(values[name]));
}
