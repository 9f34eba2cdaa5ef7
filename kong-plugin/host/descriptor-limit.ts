// How many connections the limit of open files allows. Above it the kernel would refuse the next one, and libuv then accepts and
// closes all that wait (uv__emfile_trick in its src/unix/stream.c): Kong would lose their events.
import { readFileSync } from 'node:fs';

/** As many as Kong's workers open at a time: each runs at most 4096 timers, one for a request. */
const WANTED_CONNECTIONS = 4096;

/** Node with its listening socket has 21 open, and each spool and its sidecar 3 (counted in /proc). */
const RESERVED_DESCRIPTORS = 64;

/** What it takes for all connections. */
export const WANTED_DESCRIPTORS = WANTED_CONNECTIONS + RESERVED_DESCRIPTORS;

/** Of this process. Node raises the soft limit to the hard one at its start. Infinity where the system does not say. */
export function descriptorLimit(): number {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

/** How many may be open at a time. */
export function mostConnections(limit: number): number {
  return Math.max(1, limit - RESERVED_DESCRIPTORS);
}
