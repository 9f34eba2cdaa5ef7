// The names of a recording's files: one for each day in UTC, `batches-2026-11-28.ndjson`. Whoever packs them adds `.gz`.

const DAY_MS = 24 * 60 * 60 * 1000;
const NAME = /^batches-(\d{4}-\d{2}-\d{2})\.ndjson(?:\.gz)?$/;

/** @param ms Unix ms in the day */
export function recordingFile(ms: number): string {
  return `batches-${new Date(ms).toISOString().slice(0, 10)}.ndjson`;
}

/** [fromMs, toMs) of the day that a file is of, Unix ms; `undefined` of any other file. */
export function dayOfFile(name: string): { readonly fromMs: number; readonly toMs: number } | undefined {
  const fromMs = Date.parse(NAME.exec(name)?.[1] ?? '');
  return Number.isNaN(fromMs) ? undefined : { fromMs, toMs: fromMs + DAY_MS };
}
