// Puts a memory that cannot be used out of the way, under a name that says why and when, so that a new one can be begun and
// somebody can look at the old one. At most three are kept.
import { existsSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** They may be large. */
const KEPT = 3;

/**
 * @param path where nothing that could be opened is left afterwards: a directory that may not be written in keeps it, empty
 * @param why a word for the new name
 * @param nowMs Unix ms, for the new name
 * @returns the new path; `undefined` where there was nothing, or it could only be emptied
 * @throws what the system says
 */
export function setAside(path: string, why: 'damaged' | 'unread', nowMs: number): string | undefined {
  if (!existsSync(path)) return undefined;
  const aside = `${path}.${why}-${new Date(nowMs).toISOString().replaceAll(':', '-')}`;
  try {
    renameSync(path, aside);
  } catch {
    truncateSync(path);
    return undefined;
  }
  removeOldest(path);
  return aside;
}

function removeOldest(path: string): void {
  const names = readdirSync(dirname(path))
    .filter(
      (name) => name.startsWith(`${basename(path)}.damaged-`) || name.startsWith(`${basename(path)}.unread-`),
    )
    // By the time in them.
    .sort((left, right) => timeOf(left).localeCompare(timeOf(right)));
  for (const name of names.slice(0, -KEPT)) rmSync(join(dirname(path), name), { force: true });
}

function timeOf(name: string): string {
  return name.slice(name.indexOf('-') + 1);
}
