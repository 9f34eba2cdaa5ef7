// From the bytes of a spool to what its producer had not been given a receipt for when its process ended.
import { Accumulator } from '../accumulator';
import { decodeCheckpoint, type Checkpoint } from './spool-checkpoint';
import { readRecords } from './spool-record';
import { readTail } from './spool-tail';

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
  for (const entry of readTail(rest)) {
    if (entry.kind === 'settled') settled.add(entry.sequence);
    else accumulator.add(entry.observation, entry.atMs);
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
