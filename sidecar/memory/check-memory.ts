// Finds out whether the alerts' memory can be read, in a child process: lmdb ends its process with a signal on a file that was
// cut off or overwritten. What cannot be used is set aside, and the alerts begin anew: a sidecar that does not start would
// neither count nor alert.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MEMORY_FILE_NAME } from './memory-store';
import { setAside } from './set-aside';

/** A child that takes longer goes round in circles: it reads hundreds of megabytes in a second or two. */
const CHECK_TIMEOUT_MS = 60_000;

/**
 * Reads the whole memory in a child process, and writes it anew (see renew-memory.ts). Where there is none yet, does nothing.
 * To be called before MemoryStore.open, which is safe after it.
 *
 * @param nowMs Unix ms, for the name of one that is set aside
 * @returns what somebody should know, in sentences
 */
export function checkMemory(directory: string, nowMs: number): readonly string[] {
  const path = join(directory, MEMORY_FILE_NAME);
  if (!existsSync(path)) return [];
  const program = join(__dirname, 'check-memory-main.js');
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, [program, directory], {
    encoding: 'utf8',
    timeout: CHECK_TIMEOUT_MS,
  });
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (status === 0) {
    const sentences: string[] = [];
    const unreadable = Number(stdout);
    if (unreadable > 0)
      sentences.push(
        `${unreadable} damaged ${unreadable === 1 ? 'record' : 'records'} of the alerts' memory at ${path} cannot be read ` +
          'and will be missing',
      );
    if (said !== '')
      sentences.push(`the alerts' memory at ${path} could not be written anew: ${said}. It is used as it is`);
    return sentences;
  }
  // To open it again does no harm, and tells why it cannot be.
  if (status === 1) return [];
  const reason = signal === null ? (error?.message ?? said) : `reading it ended with ${signal}`;
  return [sayAside(path, reason, nowMs)];
}

function sayAside(path: string, reason: string, nowMs: number): string {
  const cannot = `the alerts' memory at ${path} cannot be used: ${reason}.`;
  const anew = 'The alerts begin anew; the series and their counts are not touched';
  try {
    const aside = setAside(path, 'damaged', nowMs);
    return aside === undefined
      ? `${cannot} It was emptied. ${anew}`
      : `${cannot} It was set aside as ${aside}. ${anew}`;
  } catch (fault) {
    return `${cannot} It could not be set aside: ${fault instanceof Error ? fault.message : String(fault)}. ${anew}`;
  }
}
