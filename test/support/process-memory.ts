// What a process has in memory, as the kernel counts it.
import { readFileSync } from 'node:fs';

/** At most, since its start. */
export function memoryPeakMb(pid: number): number {
  return statusMb(pid, 'VmHWM');
}

/** Now. */
export function residentMemoryMb(pid: number): number {
  return statusMb(pid, 'VmRSS');
}

function statusMb(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1_024);
}
