// In: a process number. Out: whether such a process still runs. One that has ended but was not yet collected by its parent
// (a zombie, which the kernel still counts) does not run.
import { readFileSync } from 'node:fs';

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // The state follows the command's name, which is in brackets and may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2).charAt(0));
  } catch {
    // A system without /proc, or a process that ended between the two questions.
    return process.platform !== 'linux';
  }
}
