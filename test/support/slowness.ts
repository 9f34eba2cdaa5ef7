// How much slower this machine is, at this moment, than an idle one on which a limit of time was found: a limit is multiplied
// with it where it is about work that other processes do, whose own time nobody can read once they have ended.
import { spawnSync } from 'node:child_process';

/** For a process of Node with nothing to do, from its start to its end. */
const IDLE_MS = 50;

/** 1 at least. */
export function slowness(): number {
  const beganMs = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return Math.max(1, (performance.now() - beganMs) / IDLE_MS);
}
