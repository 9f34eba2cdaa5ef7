// A fault by its path in the document, before it has a line; and how values are looked at that may be anything.

export interface PlacedFault {
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly found: string;
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Neither left out nor empty, as from an unset variable. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
