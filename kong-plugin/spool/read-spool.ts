// From the bytes of a spool to what its producer had not been given a receipt for when its process ended.
import { Accumulator } from '../accumulator';
import { decodeCheckpoint, type Checkpoint } from './spool-checkpoint';
import { readRecords } from './spool-record';
import { readTail } from './spool-tail';

/** Of the time in which the events came. Each second of a day, as the process itself did it, would take minutes here. */
const COARSEN_MS = 60_000;

export interface ReadSpool {
  /** With the tail in it. */
  readonly checkpoint: Checkpoint;
  /** At the end: an event that was being written when the process died, or damage. */
  readonly unreadBytes: number;
}

/** @throws Error saying why it cannot be read */
export function readSpool(bytes: Buffer): ReadSpool {
  const { payloads, unreadBytes } = readRecords(bytes);
  const [first, ...rest] = payloads;
  if (!first) throw new Error('its beginning is not what was written');
  const checkpoint = decodeCheckpoint(first);
  const accumulator = Accumulator.holding(checkpoint.pending);
  const settled = new Set<number>();
  let coarsenedMs = 0;
  for (const entry of readTail(rest)) {
    if (entry.kind === 'settled') {
      settled.add(entry.sequence);
      continue;
    }
    accumulator.add(entry.observation, entry.atMs);
    if (entry.atMs - coarsenedMs < COARSEN_MS) continue;
    // As the memory that this stands for was kept within its bounds.
    accumulator.coarsen(entry.atMs);
    coarsenedMs = entry.atMs;
  }
  return {
    checkpoint: {
      ...checkpoint,
      sealed: checkpoint.sealed.filter(({ sequence }) => !settled.has(sequence)),
      pending: accumulator.held(),
    },
    unreadBytes,
  };
}
