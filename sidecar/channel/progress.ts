// What a receiver has done already of a notification that goes to it in parts. Each part is remembered by its name and not by its
// place: a letter that is sent again may tell of fewer alerts than before.
import { createHash } from 'node:crypto';
import type { Thread } from './channel';

export interface Progress {
  /** Names of parts. */
  readonly done: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
}

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

/** @param progress of parts without a space in their names */
export function writeProgress({ notificationId, receiver }: ProgressOf, { done, refused }: Progress): Thread {
  return {
    notification: notificationId,
    receiver,
    done: [...done].join(' '),
    refused: [...refused].join(' '),
  };
}

export function readProgress(thread: Thread | undefined, { notificationId, receiver }: ProgressOf): Progress {
  const isOwn = thread?.['notification'] === notificationId && thread['receiver'] === receiver;
  return { done: namesIn(isOwn ? thread['done'] : ''), refused: namesIn(isOwn ? thread['refused'] : '') };
}

function namesIn(text = ''): ReadonlySet<string> {
  return new Set(text.split(' ').filter((name) => name !== ''));
}
