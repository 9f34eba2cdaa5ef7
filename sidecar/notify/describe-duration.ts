// In: a duration in ms. Out: words for a person, in the two largest units that are not zero, cut to whole seconds:
// "5 minutes", "1 hour 5 minutes", "90 seconds" only as "1 minute 30 seconds"; below a second "less than a second".

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

export function describeDuration(durationMs: number): string {
  let restMs = durationMs;
  const words: string[] = [];
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) words.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
  }
  return words.length === 0 ? 'less than a second' : words.slice(0, 2).join(' ');
}
