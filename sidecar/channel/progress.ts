// What a receiver has done already of a notification that goes to it in parts. Each part is remembered by its name and not by its
// place: a letter that is sent again may tell of fewer alerts than before.
import { createHash } from 'node:crypto';
import type { Thread } from './channel';

/** What it is the progress of: a channel that was set to another receiver begins anew. */
export interface ProgressOf {
  readonly notificationId: string;
  /** Of `receiverOf`. */
  readonly receiver: string;
}

/** @param address what makes it this receiver and no other; secrets are not to be seen in what comes out */
export function receiverOf(...address: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(address)).digest('hex').slice(0, 16);
}

/** @param done names of parts, without a space in them */
export function writeProgress({ notificationId, receiver }: ProgressOf, done: ReadonlySet<string>): Thread {
  return { notification: notificationId, receiver, done: [...done].join(' ') };
}

/** @returns names of the parts that were done */
export function readProgress(
  thread: Thread | undefined,
  { notificationId, receiver }: ProgressOf,
): ReadonlySet<string> {
  const isOwn = thread?.['notification'] === notificationId && thread['receiver'] === receiver;
  return new Set((isOwn ? (thread['done'] ?? '') : '').split(' ').filter((name) => name !== ''));
}
