// CPU time that a process and all its living descendants have used, user and system, all their threads. In: a process id.
// Out: ms, in steps of one clock tick. Linux only: proc(5).
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

interface ProcessFigures {
  readonly parent: number;
  readonly cpuMs: number;
}

/** @throws Error where there is no such process */
export function cpuOfTreeMs(root: number): number {
  const all = new Map<number, ProcessFigures>();
  for (const entry of readdirSync('/proc')) {
    const figures = /^\d+$/.test(entry) ? figuresOf(entry) : undefined;
    if (figures) all.set(Number(entry), figures);
  }
  if (!all.has(root)) throw new Error(`process ${root} is gone`);
  let sumMs = 0;
  const family = new Set([root]);
  // A set gives what is added while it is gone through.
  for (const pid of family) {
    sumMs += all.get(pid)?.cpuMs ?? 0;
    for (const [child, { parent }] of all) if (parent === pid) family.add(child);
  }
  return sumMs;
}

/** `undefined` where the process ended meanwhile. */
function figuresOf(pid: string): ProcessFigures | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold any character. After it: field 3, the state; 4, the parent; 14 and 15, user and system.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
  } catch {
    return undefined;
  }
}
