// In: the run's folder, whose name no other run has. Effect: SIGKILL to every process whose command names it, and to the group
// that it leads: what a program started and could not end, since it was killed itself, such as a gateway's plugin server.
// On a system without /proc nothing is found.
import { readFileSync, readdirSync } from 'node:fs';

export function endLeftovers(root: string): void {
  for (const pid of processesNaming(root)) {
    // Not a leader: then it is in the group of another, or alone.
    if (!kill(-pid)) kill(pid);
  }
}

function processesNaming(root: string): number[] {
  let entries: string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return [];
  }
  return entries
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((entry) => {
      try {
        return readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(`${root}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
