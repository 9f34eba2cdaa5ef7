// Times for a terminal: "12m" for how long ago, "2026-03-01 10:04:05" in UTC for when.

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** In the largest unit of which there is a whole one. @param since as the API tells it */
export function describeAge(since: string | null, nowMs: number): string {
  if (since === null) return '';
  const ageMs = Math.max(0, nowMs - Date.parse(since));
  const [unit, unitMs] = UNITS.find(([, ms]) => ageMs >= ms) ?? ['s', 1_000];
  return `${Math.floor(ageMs / unitMs)}${unit}`;
}

export function describeMoment(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}
