// A moment as the API tells it: 2026-03-01T10:00:00.000Z.

/** @param unixMs the fraction of a ms is cut off */
export function timeText(unixMs: number): string;
export function timeText(unixMs: number | undefined): string | null;
export function timeText(unixMs: number | undefined): string | null {
  return unixMs === undefined ? null : new Date(unixMs).toISOString();
}
