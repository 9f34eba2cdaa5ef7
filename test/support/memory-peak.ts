// What a process had in memory at most, as the kernel kept it.
import { readFileSync } from 'node:fs';

export function memoryPeakMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024);
}
