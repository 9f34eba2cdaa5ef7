// Durations as Prometheus writes them: whole numbers with units, the largest first, each at most once: 500ms, 30s, 1h30m.

const UNITS_MS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const PATTERN = new RegExp(`^${UNITS_MS.map(([unit]) => `(?:(\\d{1,9})${unit})?`).join('')}$`);

/** Whole ms, or `undefined` for a text that is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = PATTERN.exec(text);
  if (text === '' || match === null) return undefined;
  return UNITS_MS.reduce((sumMs, [, unitMs], index) => sumMs + Number(match[index + 1] ?? 0) * unitMs, 0);
}

/** The shortest way to write a whole number of ms. */
export function formatDuration(durationMs: number): string {
  let restMs = durationMs;
  let text = '';
  for (const [unit, unitMs] of UNITS_MS) {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
